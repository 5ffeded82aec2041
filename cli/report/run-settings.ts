import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { fusionOf } from '../../fusion/fusion-of-run.ts';
import type { SettingGroup } from '../../page/view/report-data.ts';
import { recordingOf, textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';

/**
 * The settings of a run that decide what comes of it, for people to read.
 *
 * @param base directory of the run file; paths are relative to it
 */
export function runSettings(config: RunConfig, base: string): SettingGroup[] {
  const { teachers, target, trainer } = config;
  const path = (text: string) => shownPath(text, base);
  const recording = recordingOf(config);
  return [
    {
      title: 'Models',
      rows: [
        ['target', path(target.model)],
        ...teachers.map(({ name, model }): [string, string] => [
          name,
          model ? path(model) : 'served elsewhere',
        ]),
        ...(target.source ? [[`${target.source.name}, as a teacher`, 'the target as it was'] as const] : []),
        ...settings({ lora: target.lora && `rank ${target.lora.rank}, alpha ${target.lora.alpha}` }),
      ],
    },
    {
      title: 'Texts',
      rows: [
        ...(recording === undefined
          ? textsOf(config).map(({ domain, path: text }): [string, string] => [domain, path(text)])
          : [['recording', path(recording)] as const]),
        ...config.heldOut.map(({ domain, path: text }): [string, string] => [
          `${domain}, held out`,
          path(text),
        ]),
        ...settings({ contextLength: config.contextLength }),
      ],
    },
    ...onPolicyGroup(config, path),
    { title: 'Fusion', rows: fusionRows(config) },
    {
      title: 'Training',
      rows: settings({
        ...(trainer.epochs > 1 && { epochs: trainer.epochs }),
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

/** What the target writes itself; no group where that is nothing. */
function onPolicyGroup({ onPolicy, trainer }: RunConfig, path: (text: string) => string): SettingGroup[] {
  if (onPolicy === undefined) return [];
  const { prompts, ...rest } = onPolicy;
  const rows = settings({ ...rest, weightsEvery: trainer.weightsEvery });
  const named = prompts.map(({ domain, path: text }): [string, string] => [`${domain}, prompts`, path(text)]);
  return [{ title: 'On-policy', rows: [...named, ...rows] }];
}

/** What the run file leaves out has the preset's value. */
function fusionRows(config: RunConfig): [string, string][] {
  const { topK, topP, fusion } = config;
  const { align, vocabulary, lambda, settings: chosen } = fusionOf(config);
  const weights = Object.entries(chosen.weights).map(([name, weight]) => `${name} ${weight}`);
  return settings({
    topK,
    topP,
    lambda,
    preset: fusion.preset,
    align,
    vocabulary,
    combine: chosen.combine,
    weights: weights.join(', ') || undefined,
    temperature: chosen.temperature,
    truncated: chosen.truncated,
    unaligned: chosen.unaligned,
    loss: fusion.loss,
    ...(fusion.loss === 'jsd' && { beta: fusion.beta }),
  });
}

const settings = (values: Readonly<Record<string, string | number | undefined>>): [string, string][] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));

/** A path relative to the run file's directory; of one outside, only its last two names. */
function shownPath(path: string, base: string): string {
  const fromBase = relative(base, path);
  const inside = !fromBase.startsWith('..') && !isAbsolute(fromBase);
  return inside ? fromBase : join(basename(dirname(path)), basename(path));
}
