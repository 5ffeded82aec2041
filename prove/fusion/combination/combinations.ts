import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { JoinedDocument } from '../../../fusion/batch/joined-document.ts';
import { evidenceWeights } from '../../../fusion/fuse/evidence-weights.ts';
import type { FusionSettings } from '../../../fusion/fuse/fusion-settings.ts';
import { sourceWeights } from '../../../fusion/fuse/source-weights.ts';
import { fusionOf } from '../../../fusion/fusion-of-run.ts';
import { relateSource } from '../../../fusion/relate-source.ts';
import { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import { createLog } from '../../../process/log/log.ts';
import { recordedDocuments } from '../../../trainer/recording/recorded-documents.ts';
import { Recording } from '../../../trainer/recording/recording.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import { documentsOf } from '../measure/documents.ts';
import { recordSources } from '../measure/record-sources.ts';
import { mixtureNats, stretchesOf } from './mixture-loss.ts';

/** How well a teacher, or teachers together, predict the corpus. */
export interface Combination {
  readonly name: string;
  /** By domain. */
  readonly bitsPerByte: Readonly<Record<string, number>>;
}

type Weights = (texts: readonly TextDistribution[], rows: readonly Int32Array[]) => Float64Array;

/**
 * Cross-entropies on the documents of each teacher and of all ways to combine them: whether a mixture is a better teacher
 * shows before any training.
 */
export async function combinations(config: RunConfig, signal: AbortSignal): Promise<Combination[]> {
  const { texts, domains, ...others } = await documentsOf(config, signal);
  const teachers = config.teachers.flatMap(({ name, model }) =>
    model === undefined ? [] : [{ name, model }],
  );
  const directories = await recordSources(teachers, { texts, domains, ...others }, { atOnce: 2, signal });
  const opened = await Promise.all(
    teachers.map(({ name, model }) => Recording.open(directories.get(model)!, [name])),
  );
  const target = ContentEncoder.ofBaseModel(
    await Tokenizer.fromFile(join(config.target.model, 'tokenizer.json')),
  );
  const fusion = fusionOf(config);
  const log = createLog('prove', { level: 'silent' });
  const relations = await Promise.all(
    opened
      .flatMap(({ sources }) => sources)
      .map(({ name, encoder }) => relateSource(name, encoder!, target, fusion, log)),
  );
  const ways = waysToCombine(
    teachers.map(({ name }) => name),
    fusion.settings,
  );
  const sums = ways.map(() => new Map<string, { nats: number; bytes: number }>());
  const readers = opened.map((recording) =>
    recordedDocuments(recording, { numbers: texts.keys(), topK: 1, signal }),
  );
  try {
    for (const [number, text] of texts.entries()) {
      const said = await Promise.all(readers.map(nextOf));
      const [tokenization] = await target.encodeBatch([text]);
      const rows = said.map((one, s) => relations[s](tokenization, one, text, false).rows);
      const stretches = stretchesOf(
        said.map((distribution, s) => ({ distribution, rows: rows[s] })),
        tokenization.ends,
      );
      for (const [w, { weigh }] of ways.entries()) {
        const weights = weigh(said, rows);
        const nats = mixtureNats(
          stretches,
          said.length,
          (position, s) => weights[position * said.length + s],
        );
        const sum = sums[w].get(domains[number]) ?? { nats: 0, bytes: 0 };
        sums[w].set(domains[number], { nats: sum.nats + nats, bytes: sum.bytes + stretches.bytes });
      }
    }
  } finally {
    for (const recording of opened) await recording.close();
  }
  return ways.map(({ name }, w) => ({
    name,
    bitsPerByte: Object.fromEntries(
      textsOf(config).flatMap(({ domain }) => {
        const sum = sums[w].get(domain);
        return sum === undefined ? [] : [[domain, sum.nats / sum.bytes / Math.LN2]];
      }),
    ),
  }));
}

async function nextOf(reader: AsyncGenerator<JoinedDocument>): Promise<TextDistribution> {
  const { value, done } = await reader.next();
  const distribution = done || value.unusable !== undefined ? undefined : value.distributions[0];
  if (distribution !== undefined) return distribution;
  throw new FuseMeshError(
    'internal',
    'A recording ends before its documents do: stop nothing, and call again.',
  );
}

function waysToCombine(
  teachers: readonly string[],
  settings: FusionSettings,
): readonly { readonly name: string; readonly weigh: Weights }[] {
  const throughout =
    (changes: Partial<FusionSettings>): Weights =>
    (texts, rows) => {
      const own = sourceWeights(texts, { ...settings, ...changes });
      return Float64Array.from({ length: rows[0].length * own.length }, (_, i) => own[i % own.length]);
    };
  const byEvidence =
    (changes: Partial<FusionSettings>): Weights =>
    (texts, rows) =>
      evidenceWeights(
        texts.map((distribution, s) => ({ distribution, rows: rows[s] })),
        rows[0].length,
        { ...settings, ...changes },
      );
  return [
    ...teachers.map((name) => ({
      name: `${name} alone`,
      weigh: throughout({ combine: 'fixed', weights: { [name]: 1 } }),
    })),
    { name: 'combine minCE, which knows the whole text', weigh: throughout({ combine: 'minCE' }) },
    { name: 'combine avgCE', weigh: throughout({ combine: 'avgCE' }) },
    { name: 'default', weigh: byEvidence({}) },
    ...[
      { sharpness: 0.2 },
      { sharpness: 1 },
      { sharpness: 0.3, switching: 0.01 },
      { sharpness: 1, switching: 0.01 },
    ].map((changes) => ({
      name: Object.entries(changes).flat().join(' '),
      weigh: byEvidence(changes),
    })),
  ];
}
