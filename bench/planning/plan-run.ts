import { storageOf } from '../../cli/doctor/run-storage.ts';
import { estimateMemoryOf, type MemoryEstimate } from '../../engine/memory-estimate.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { fusionOf } from '../../fusion/fusion-of-run.ts';
import { readTrainable } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { adapterShapes } from '../../model/lora/adapters.ts';
import { targetLayers } from '../../model/lora/target-layers.ts';
import { recordingOf } from '../../process/config/corpus-of-run.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { findCorpusFiles } from '../../services/feeder/cut-corpus.ts';
import { engineOptionsOf } from '../../trainer/engine-of-run.ts';
import type { RunSizes } from './place-on-accelerators.ts';
import { meshOf, type PlacedRun } from './planned-mesh.ts';
import { meanOf, type SampledCorpus } from './sample-corpus.ts';
import { type Simulated, simulate } from './simulate.ts';
import { sizeOf } from './speeds.ts';

export interface Plan {
  readonly simulated: Simulated;
  readonly documents: number;
  readonly steps: number;
  /** Of all passes. */
  readonly targetTokens: number;
  readonly sources: readonly PlannedSource[];
  /** Tokens of the target a second where it waits for nobody. */
  readonly trainerTokensPerSecond: number;
  /** What the sources publish. */
  readonly bytes: number;
  readonly memory: MemoryEstimate;
  /** The most that a server of NATS stores for the run, in bytes. */
  readonly natsDisk: number;
  readonly checkpointsDisk: number;
}

export interface PlannedSource {
  readonly name: string;
  /** Undefined of a model that is not on this machine. */
  readonly parameters: number | undefined;
  readonly replicas: number;
  /** Of a replica that has its device to itself. */
  readonly tokensPerSecond: number;
  readonly bytesPerToken: number;
  /** Replicas that are as fast as the trainer. */
  readonly enough: number;
}

/** Dead letters have so much room in every run. */
const deadLetterBytes = 128 * 2 ** 20;

/** @throws FuseMeshError failed_precondition for runs that have no documents to plan with */
export function refuseUnplannable(config: RunConfig): void {
  const reason = config.onPolicy
    ? 'its target writes the documents (onPolicy)'
    : recordingOf(config) && 'it trains from a recording, for which the trainer alone counts';
  if (reason)
    throw new FuseMeshError('failed_precondition', `Run ${config.run} cannot be planned: ${reason}.`);
}

/** Sizes of a run's models, from their config.json. */
export async function sizesOf(config: RunConfig): Promise<RunSizes> {
  const { model, lora } = config.target;
  const architecture = await readTrainable(model);
  const trained = lora
    ? adapterShapes(targetLayers(architecture, lora.targetModules), lora.rank)
    : architecture.weights;
  const sources = sourcesOf(config).map(({ model: directory, tokenizer }) => directory ?? tokenizer);
  return {
    target: await sizeOf(model),
    trained: parameterCount(trained),
    sources: await Promise.all(
      sources.map((directory) => directory && sizeOf(directory).catch(() => undefined)),
    ).then((all) => all.map((size) => size || undefined)),
  };
}

/** Tokens of a run's held-out texts, by their bytes. */
export async function heldOutTokensOf(config: RunConfig, corpus: SampledCorpus): Promise<number> {
  const files = await findCorpusFiles(config.heldOut);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return (bytes * corpus.documents * meanOf(corpus.targetTokens)) / corpus.bytes;
}

/** What becomes of a run that is placed somewhere. */
export async function planRun(
  config: RunConfig,
  sizes: RunSizes,
  corpus: SampledCorpus,
  { placed, natsBytesPerSecond }: { readonly placed: PlacedRun; readonly natsBytesPerSecond: number },
): Promise<Plan> {
  const { target, trainer, nats } = config;
  const storage = storageOf(config, { trained: sizes.trained, all: sizes.target.parameters });
  const mesh = meshOf(config, placed, { corpus, checkpointBytes: storage.checkpoint, natsBytesPerSecond });
  const { documents, steps } = mesh;
  const mean = meanOf(corpus.targetTokens);
  const passTokens = documents * mean;
  const stepTokens = Math.min(trainer.batchDocuments, documents) * mean;
  const { secondsPerToken, secondsPerStep, evaluation } = mesh.trainer;
  const evaluationSeconds = evaluation ? evaluation.seconds / evaluation.every : 0;
  const stepSeconds = stepTokens * secondsPerToken + secondsPerStep + evaluationSeconds;
  const trainerTokensPerSecond = stepTokens / stepSeconds;
  const sources = sourcesOf(config).map(({ name }, s): PlannedSource => {
    const { replicas, secondsPerToken: seconds, bytesPerToken } = placed.sources[s];
    const work = meanOf(corpus.sourceTokens[s]) * seconds;
    return {
      name,
      parameters: sizes.sources[s]?.parameters,
      replicas: replicas.length,
      tokensPerSecond: 1 / seconds,
      bytesPerToken,
      enough: Math.ceil((work * trainerTokensPerSecond) / mean),
    };
  });
  const bytesOfDocument = sources.reduce(
    (sum, { bytesPerToken }, s) => sum + bytesPerToken * meanOf(corpus.sourceTokens[s]),
    0,
  );
  const options = engineOptionsOf(config, fusionOf(config));
  return {
    simulated: simulate(mesh),
    documents,
    steps,
    targetTokens: (passTokens * steps) / Math.ceil(documents / trainer.batchDocuments),
    sources,
    trainerTokensPerSecond,
    bytes: bytesOfDocument * Math.min(documents, steps * trainer.batchDocuments),
    memory: await estimateMemoryOf(target.model, options),
    natsDisk:
      nats.maxDocuments * (corpus.bytes / documents) +
      nats.maxDistributions * bytesOfDocument +
      deadLetterBytes,
    checkpointsDisk: storage.total,
  };
}
