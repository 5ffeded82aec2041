import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { refuseNonFinite } from '../families/finite-weights.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { parameterCount } from '../families/weight-shapes.ts';
import { fileWeights, openWeights } from '../families/weights.ts';
import type { ModelFiles } from '../model-files.ts';
import { readExportedModel } from '../onnx/exported/read-exported-model.ts';
import type { Placement } from '../runtime/placement.ts';
import { openSession, type SessionOptions } from '../runtime/session.ts';
import type { ModelCard } from './model-card.ts';
import { type PaddedScores, scorePadded } from './padded-scores.ts';
import { scoreInParts } from './score-in-parts.ts';
import { exportedScoringModel, scoringModels } from './scoring-graph.ts';

/** A model in memory that scores texts, given by their token ids. */
export interface ScoredModel {
  readonly card: ModelCard;
  score(texts: readonly Int32Array[], topK: number): Promise<PaddedScores>;
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
): Promise<ScoredModel> =>
  exported === undefined
    ? openSafetensors(directory, { threads, ...placement })
    : openExported(exported, directory, { threads, ...placement });

/** How the sessions of a model are opened. */
type Computing = Pick<SessionOptions, 'threads' | 'provider' | 'device'>;

async function openSafetensors(directory: string, computing: Computing): Promise<ScoredModel> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  await refuseNonFinite(source, architecture);
  const weights = fileWeights(architecture, source);
  const models = scoringModels(architecture, weights);
  await source.close();
  const parameters = parameterCount(architecture.weights);
  const { family, vocabularySize, contextLength } = architecture;
  const open = (model: Uint8Array) =>
    openSession(model, { ...computing, weightsDirectory: weights.directory });
  const sessions = { body: await open(models.body), head: await open(models.head) };
  return {
    card: { family, parameters, vocabularySize, contextLength },
    score: (texts, topK) => scoreInParts(sessions, texts, topK),
  };
}

async function openExported(path: string, directory: string, computing: Computing): Promise<ScoredModel> {
  const exported = await readExportedModel(path, directory);
  const { family, parameters, vocabularySize, contextLength } = exported;
  const refusal = (problem: string, cause: unknown) => {
    const reason = (cause as Error).message.replaceAll(/\s+/g, ' ');
    return new FuseMeshError('invalid_argument', `${path} ${problem}: ${reason}`, { cause });
  };
  const session = await openSession(exportedScoringModel(exported), {
    ...computing,
    weightsDirectory: exported.weightsDirectory,
  }).catch((cause: unknown) => {
    if (cause instanceof FuseMeshError && cause.code === 'failed_precondition') throw cause;
    throw refusal('cannot be opened', cause);
  });
  // What it declares of its logits may be missing or wrong: scoring one token shows it.
  try {
    const { logProbabilities } = await scorePadded(session, [Int32Array.of(0)], vocabularySize);
    if (logProbabilities.length !== vocabularySize) throw new Error(`it gives ${logProbabilities.length}`);
  } catch (cause) {
    await session.close();
    throw refusal(`does not give ${vocabularySize} logits a token, the vocab_size of its config.json`, cause);
  }
  return {
    card: { family, parameters, vocabularySize, contextLength },
    score: (texts, topK) => scorePadded(session, texts, topK),
  };
}
