import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Calibration } from './calibrate.ts';
import type { Host } from './hosts.ts';
import type { SampledCorpus } from './sample-corpus.ts';
import type { Mesh } from './simulate.ts';
import type { TrainerCosts } from './speeds.ts';

/** Where the parts of a run compute, and how fast they are there. */
export interface PlacedRun {
  readonly hosts: readonly Host[];
  readonly sources: readonly {
    /** Host of each replica. */
    readonly replicas: readonly number[];
    readonly threads: number;
    readonly secondsPerToken: number;
    /** Of its distributions. */
    readonly bytesPerToken: number;
  }[];
  readonly trainer: TrainerCosts & {
    readonly host: number;
    readonly fusionHost: number;
    readonly threads: number;
  };
}

/** What NATS and disks do, where nobody measured: an SSD behind a link of 10 Gbit/s. */
export interface Surroundings {
  /** That one server of NATS stores and delivers. */
  readonly natsBytesPerSecond: number;
}

/** To have a document stored: a round trip. */
const publishSeconds = 5e-4;
/** Of checkpoints, hashed and synced. */
const diskBytesPerSecond = 500e6;

/** All on this machine, as it was measured. */
export function placeHere(
  config: RunConfig,
  calibration: Calibration,
  replicasOf: (source: string) => number,
): PlacedRun {
  const { cores, efficiency, trainer } = calibration;
  return {
    hosts: [{ name: 'this machine', cores, efficiency }],
    sources: sourcesOf(config).map(({ name, threads }, s) => ({
      replicas: Array.from({ length: replicasOf(name) }, () => 0),
      threads: Math.min(threads, cores),
      ...calibration.sources[s],
    })),
    trainer: { ...trainer, host: 0, fusionHost: 0, threads: Math.min(config.trainer.threads, cores) },
  };
}

/**
 * The mesh of a run for the simulation.
 *
 * @param size.documents of one pass
 * @param size.checkpointBytes of one checkpoint
 */
export function meshOf(
  config: RunConfig,
  placed: PlacedRun,
  {
    corpus,
    checkpointBytes,
    natsBytesPerSecond,
  }: Surroundings & { readonly corpus: SampledCorpus; readonly checkpointBytes: number },
): Mesh {
  const { trainer, nats } = config;
  const { documents } = corpus;
  const { epochs, batchDocuments, checkpointEvery, evaluateEvery } = trainer;
  const all = epochs * Math.ceil(documents / batchDocuments);
  const { evaluationSeconds, ...costs } = placed.trainer;
  return {
    documents,
    steps: Math.min(all, trainer.steps ?? all),
    hosts: placed.hosts,
    sources: sourcesOf(config).map(({ name, batchDocuments: batch }, s) => {
      const source = placed.sources[s];
      const bytesPerToken = source.bytesPerToken * nats.replicas;
      return { ...source, name, batchDocuments: batch, tokens: corpus.sourceTokens[s], bytesPerToken };
    }),
    nats: { maxDocuments: nats.maxDocuments, bytesPerSecond: natsBytesPerSecond, publishSeconds },
    trainer: {
      ...costs,
      batchDocuments,
      tokens: corpus.targetTokens,
      checkpointEvery,
      writeSeconds: checkpointBytes / diskBytesPerSecond,
      evaluation:
        evaluateEvery === undefined ? undefined : { every: evaluateEvery, seconds: evaluationSeconds },
    },
  };
}
