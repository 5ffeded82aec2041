import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { partsOfAttention } from '../families/attention-scope.ts';
import { openInferenceWeights } from '../families/inference-weights.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { parameterCount } from '../families/weight-shapes.ts';
import type { ModelFiles } from '../model-files.ts';
import { readExportedModel } from '../onnx/exported/read-exported-model.ts';
import { dialectOf } from '../runtime/dialect.ts';
import { openMemory } from '../runtime/memory.ts';
import type { Placement } from '../runtime/placement.ts';
import { type BytesCrossed, openSession, type SessionOptions } from '../runtime/session.ts';
import type { ModelCard } from './model-card.ts';
import type { PaddedScores } from './padded-scores.ts';
import { PartsOfModel } from './parts-of-model.ts';
import { exportedScoringModels, type ScoringModels, scoringModels } from './scoring-graph.ts';

/** A model in memory that scores texts, given by their token ids. */
export interface ScoredModel {
  readonly card: ModelCard;
  /** Operators that the processor computes although the model is on a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  /** How quantized weights are computed, in a line; undefined where there are none. */
  readonly quantized?: string | undefined;
  /** All that has gone to a device and come from there; the weights, which ONNX Runtime brings there, left out. */
  readonly crossed: Readonly<BytesCrossed>;
  score(texts: readonly Int32Array[], topK: number): Promise<PaddedScores>;
  close(): Promise<void>;
}

/**
 * @param threads threads of one matrix product
 * @param placement left out, the processor computes
 * @throws FuseMeshError not_found when a file is missing, invalid_argument or data_loss when one does not fit,
 *   failed_precondition where there is no such GPU
 */
export const openScoredModel = (
  { directory, exported }: ModelFiles,
  threads: number,
  placement?: Placement,
): Promise<ScoredModel> => {
  const computing = { threads, ...placement, crossed: { toDevice: 0, fromDevice: 0 } };
  return exported === undefined
    ? openSafetensors(directory, computing)
    : openExported(exported, directory, computing);
};

/** How the sessions of a model are opened. */
type Computing = Pick<SessionOptions, 'threads' | 'provider' | 'device'> & { readonly crossed: BytesCrossed };

async function openSafetensors(directory: string, computing: Computing): Promise<ScoredModel> {
  const architecture = await readArchitecture(directory);
  const onDevice = (computing.provider ?? 'cpu') !== 'cpu';
  const weights = await openInferenceWeights(directory, architecture, { onDevice });
  try {
    await weights.refuseNonFinite();
    const { family, vocabularySize, contextLength } = architecture;
    const models = scoringModels(architecture, weights, {
      parts: partsOfAttention(contextLength, { onDevice }),
      dialect: dialectOf(computing),
    });
    const parameters = parameterCount(architecture.weights);
    await weights.prepare();
    const parts = await openParts(models, { ...computing, weightsDirectory: weights.directory });
    const card = { family, parameters, vocabularySize, contextLength };
    return { ...scoredModel(card, parts, computing), quantized: weights.inWords };
  } finally {
    await weights.close();
  }
}

async function openExported(path: string, directory: string, computing: Computing): Promise<ScoredModel> {
  const exported = await readExportedModel(path, directory);
  const { family, parameters, vocabularySize, contextLength, weightsDirectory } = exported;
  const refusal = (problem: string, cause: unknown) => {
    const reason = (cause as Error).message.replaceAll(/\s+/g, ' ');
    return new FuseMeshError('invalid_argument', `${path} ${problem}: ${reason}`, { cause });
  };
  const models = exportedScoringModels(exported, dialectOf(computing));
  const parts = await openParts(models, { ...computing, weightsDirectory }).catch((cause: unknown) => {
    if (cause instanceof FuseMeshError && cause.code !== 'internal') throw cause;
    throw refusal('cannot be opened', cause);
  });
  // What it declares of its logits may be missing or wrong.
  try {
    const found = await parts.valuesOfOneToken();
    if (found !== vocabularySize) throw new FuseMeshError('internal', `it gives ${found}`);
  } catch (cause) {
    await parts.close();
    if (cause instanceof FuseMeshError && cause.code !== 'internal') throw cause;
    throw refusal(`does not give ${vocabularySize} logits a token, the vocab_size of its config.json`, cause);
  }
  return scoredModel({ family, parameters, vocabularySize, contextLength }, parts, computing);
}

async function openParts(models: ScoringModels, options: SessionOptions): Promise<PartsOfModel> {
  const sessions = {
    body: await openSession(models.body, options),
    head: await openSession(models.head, options),
  };
  return new PartsOfModel(sessions, await openMemory(options), models);
}

const scoredModel = (card: ModelCard, parts: PartsOfModel, { crossed }: Computing): ScoredModel => ({
  card,
  onProcessor: parts.onProcessor,
  crossed,
  score: (texts, topK) => parts.score(texts, topK),
  close: () => parts.close(),
});
