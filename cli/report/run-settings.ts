import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import type { RunConfig } from '../../mesh/config/schema.ts';
import type { SettingGroup } from '../../page/view/report-data.ts';

/**
 * The settings that make a run what it is, for people to read.
 *
 * @param base directory of the run file: paths are told relative to it
 */
export function runSettings(config: RunConfig, base: string): SettingGroup[] {
  const { teachers, target, trainer, fusion } = config;
  const path = (text: string) => shownPath(text, base);
  return [
    {
      title: 'Models',
      rows: [
        ['target', path(target.model)],
        ...teachers.map(({ name, model }): [string, string] => [
          name,
          model ? path(model) : 'served elsewhere',
        ]),
        ...(target.source ? [[target.source.name, 'the target as it was'] as const] : []),
        ...settings({ lora: target.lora && `rank ${target.lora.rank}, alpha ${target.lora.alpha}` }),
      ],
    },
    {
      title: 'Texts',
      rows: [
        ...config.corpus.map(({ domain, path: text }): [string, string] => [domain, path(text)]),
        ...config.heldOut.map(({ domain, path: text }): [string, string] => [
          `${domain}, held out`,
          path(text),
        ]),
        ...settings({ contextLength: config.contextLength }),
      ],
    },
    { title: 'Fusion', rows: settings({ topK: config.topK, lambda: trainer.lambda, ...fusionOf(fusion) }) },
    {
      title: 'Training',
      rows: settings({
        learningRate: trainer.learningRate,
        schedule: trainer.schedule,
        ...(trainer.warmupSteps === undefined
          ? { warmupRatio: trainer.warmupRatio }
          : { warmupSteps: trainer.warmupSteps }),
        batchDocuments: trainer.batchDocuments,
        weightDecay: trainer.weightDecay,
        'beta1, beta2': `${trainer.beta1}, ${trainer.beta2}`,
        clipNorm: trainer.clipNorm,
        execution: trainer.execution === 'cpu' ? 'cpu' : `${trainer.execution}, ${trainer.precision}`,
        threads: trainer.threads,
      }),
    },
  ];
}

/** What the run file leaves out is left out here too; what it says by default is named. */
const fusionOf = ({ weights, beta, ...fusion }: RunConfig['fusion']) => ({
  ...fusion,
  ...(fusion.loss === 'jsd' && { beta }),
  ...(weights && {
    weights: Object.entries(weights)
      .map(([name, weight]) => `${name} ${weight}`)
      .join(', '),
  }),
});

const settings = (values: Readonly<Record<string, string | number | undefined>>): [string, string][] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));

/** A path relative to the run file's directory; outside of it, no more of it than tells what it is. */
function shownPath(path: string, base: string): string {
  const fromBase = relative(base, path);
  const inside = !fromBase.startsWith('..') && !isAbsolute(fromBase);
  return inside ? fromBase : join(basename(dirname(path)), basename(path));
}
