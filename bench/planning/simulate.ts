import { type Host, Hosts } from './hosts.ts';

/** A run with its mesh, as the simulation knows it. */
export interface Mesh {
  /** Of one pass over the corpus. */
  readonly documents: number;
  /** Of all passes; teachers are asked in the first. */
  readonly steps: number;
  readonly hosts: readonly Host[];
  readonly sources: readonly MeshSource[];
  readonly nats: {
    /** The run's nats.maxDocuments. */
    readonly maxDocuments: number;
    readonly bytesPerSecond: number;
    /** How long the feeder takes to have one document stored. */
    readonly publishSeconds: number;
  };
  readonly trainer: MeshTrainer;
}

export interface MeshSource {
  readonly name: string;
  /** Where each replica computes. */
  readonly replicas: readonly number[];
  readonly threads: number;
  readonly batchDocuments: number;
  /** Tokens of document d at d modulo their number. */
  readonly tokens: ArrayLike<number>;
  /** Of a replica alone. */
  readonly secondsPerToken: number;
  /** Of its distributions, for all copies that NATS keeps. */
  readonly bytesPerToken: number;
}

export interface MeshTrainer {
  readonly host: number;
  /** Where documents are aligned and fused: the same machine, or a core beside a GPU. */
  readonly fusionHost: number;
  readonly threads: number;
  readonly batchDocuments: number;
  /** As of a source. */
  readonly tokens: ArrayLike<number>;
  /** Forward and backward pass. */
  readonly secondsPerToken: number;
  /** The optimizer's update. */
  readonly secondsPerStep: number;
  readonly fusionSecondsPerToken: number;
  readonly checkpointEvery: number;
  /** Copying the state before it is written, while which no step is taken. */
  readonly snapshotSeconds: number;
  readonly writeSeconds: number;
  readonly evaluation: { readonly every: number; readonly seconds: number } | undefined;
}

/** What the time of a run goes into, as the trainer sees it: its own work, or the part of the mesh that it waits for. */
export type Cause =
  | 'training'
  | 'evaluation'
  | 'checkpoint'
  | 'fusion'
  | 'nats'
  | 'feeder'
  | 'room'
  | `source ${number}`;

export interface Simulated {
  /** From the first document to the last step, with what is evaluated behind it. */
  readonly seconds: number;
  /** When each step ended. */
  readonly stepEnds: Float64Array;
  /** Every second once. */
  readonly causes: ReadonlyMap<Cause, number>;
  /** By source: the share of their time that its replicas score. */
  readonly scoringShares: readonly number[];
  readonly natsShare: number;
}

/** Documents that the feeder publishes between two looks at the room. */
const feedAtOnce = 32;

/** A batch of documents in a replica's hands. */
interface Batch {
  readonly begin: number;
  readonly end: number;
}

/** One process of a source: it scores a batch while the one before is published. */
interface Replica {
  readonly source: number;
  readonly host: number;
  scoring: boolean;
  /** Scored, and waits until the one before is published. */
  scored: Batch | undefined;
  publishing: boolean;
}

/**
 * A run in simulated time: the feeder publishes documents while there is room, replicas take them in batches, score and
 * publish; the trainer takes them in order when all sources have said something about them, fuses the next batch while it
 * trains on one, evaluates and writes checkpoints, which make room.
 *
 * Not in it: what starts before the first document (loading models, cutting the corpus), faults, and `trainer.join` other
 * than `all`.
 */
export function simulate(mesh: Mesh): Simulated {
  const { documents, steps, sources, nats, trainer } = mesh;
  // NATS is one more host, of one core: who sends at the same time shares it.
  const natsHost = mesh.hosts.length;
  const hosts = new Hosts([...mesh.hosts, { name: 'NATS', cores: 1, efficiency: 1 }]);
  const stepsOfPass = Math.ceil(documents / trainer.batchDocuments);
  const replicas: Replica[] = sources.flatMap(({ replicas: places }, source) =>
    places.map((host) => ({ source, host, scoring: false, scored: undefined, publishing: false })),
  );
  const scoringSeconds = sources.map(() => 0);
  const causes = new Map<Cause, number>();

  let published = 0;
  let feeding = false;
  /** Documents that a checkpoint on disk covers. */
  let covered = 0;
  const taken = sources.map(() => 0);
  const delivered = sources.map(() => new Uint8Array(documents));
  /** By source: all documents before this one are delivered. */
  const complete = sources.map(() => 0);

  let fused = 0;
  let fusing = false;
  let done = 0;
  let state: 'waiting' | 'training' | 'evaluation' | 'checkpoint' = 'waiting';
  let writing = false;
  let onWritten: (() => void) | undefined;
  let finished: number | undefined;
  const stepEnds = new Float64Array(steps);

  const tokensIn = (lengths: ArrayLike<number>, { begin, end }: Batch) => {
    let sum = 0;
    for (let d = begin; d < end; d++) sum += lengths[d % lengths.length];
    return sum;
  };
  const batchOf = (step: number): Batch => {
    const begin = (step % stepsOfPass) * trainer.batchDocuments;
    return { begin, end: Math.min(documents, begin + trainer.batchDocuments) };
  };

  const feed = () => {
    const count = Math.min(feedAtOnce, documents - published, nats.maxDocuments - (published - covered));
    if (feeding || count <= 0) return;
    feeding = true;
    hosts.begin({ host: undefined, threads: 0, seconds: count * nats.publishSeconds }, () => {
      feeding = false;
      published += count;
      for (const replica of replicas) take(replica);
      feed();
    });
  };

  const take = (replica: Replica) => {
    const { source, host } = replica;
    const { batchDocuments, tokens, secondsPerToken, threads } = sources[source];
    if (replica.scoring || replica.scored || taken[source] === published) return;
    const begin = taken[source];
    const batch = { begin, end: Math.min(published, begin + batchDocuments) };
    taken[source] = batch.end;
    replica.scoring = true;
    hosts.begin({ host, threads, seconds: tokensIn(tokens, batch) * secondsPerToken }, () => {
      replica.scoring = false;
      replica.scored = batch;
      publish(replica);
    });
  };

  const publish = (replica: Replica) => {
    const batch = replica.scored;
    if (replica.publishing || batch === undefined) return;
    const { source } = replica;
    const { tokens, bytesPerToken } = sources[source];
    replica.scored = undefined;
    replica.publishing = true;
    const bytes = tokensIn(tokens, batch) * bytesPerToken;
    hosts.begin({ host: natsHost, threads: 1, seconds: bytes / nats.bytesPerSecond }, () => {
      replica.publishing = false;
      delivered[source].fill(1, batch.begin, batch.end);
      while (complete[source] < documents && delivered[source][complete[source]] === 1) complete[source]++;
      publish(replica);
      fuse();
    });
    take(replica);
  };

  /** One batch is fused ahead of the step in hand. */
  const fuse = () => {
    if (fusing || fused === steps || fused > done + (state === 'training' ? 1 : 0)) return;
    const batch = batchOf(fused);
    const isFirstPass = fused < stepsOfPass;
    if (isFirstPass && complete.some((end) => end < batch.end)) return;
    fusing = true;
    const seconds = tokensIn(trainer.tokens, batch) * trainer.fusionSecondsPerToken;
    hosts.begin({ host: trainer.fusionHost, threads: 1, seconds }, () => {
      fusing = false;
      fused++;
      step();
      fuse();
    });
  };

  const step = () => {
    if (state !== 'waiting' || fused <= done) return;
    state = 'training';
    const { host, threads, secondsPerToken, secondsPerStep } = trainer;
    const seconds = tokensIn(trainer.tokens, batchOf(done)) * secondsPerToken + secondsPerStep;
    hosts.begin({ host, threads, seconds }, () => {
      stepEnds[done++] = hosts.now;
      evaluate();
    });
    fuse();
  };

  const evaluate = () => {
    const { host, threads, evaluation } = trainer;
    if (evaluation === undefined || !(done % evaluation.every === 0 || done === steps)) return checkpoint();
    state = 'evaluation';
    hosts.begin({ host, threads, seconds: evaluation.seconds }, checkpoint);
  };

  const checkpoint = () => {
    if (done === steps) {
      finished = hosts.now;
      return;
    }
    const begin = () => {
      const end = done < stepsOfPass ? batchOf(done - 1).end : documents;
      hosts.begin({ host: trainer.fusionHost, threads: 1, seconds: trainer.snapshotSeconds }, () => {
        writing = true;
        hosts.begin({ host: undefined, threads: 0, seconds: trainer.writeSeconds }, () => {
          writing = false;
          covered = end;
          feed();
          onWritten?.();
          onWritten = undefined;
        });
        goOn();
      });
    };
    if (done % trainer.checkpointEvery !== 0) return goOn();
    state = 'checkpoint';
    if (writing) onWritten = begin;
    else begin();
  };

  const goOn = () => {
    state = 'waiting';
    fuse();
    step();
  };

  /** What the trainer does, or whom it waits for. */
  const cause = (): Cause => {
    if (state !== 'waiting') return state;
    if (fusing) return 'fusion';
    const slowest = complete.indexOf(Math.min(...complete));
    const own = replicas.filter(({ source }) => source === slowest);
    if (own.some(({ scoring }) => scoring)) return `source ${slowest}`;
    if (own.some(({ publishing }) => publishing)) return 'nats';
    return published - covered < nats.maxDocuments ? 'feeder' : 'room';
  };

  feed();
  fuse();
  const pass = (seconds: number) => {
    const now = cause();
    causes.set(now, (causes.get(now) ?? 0) + seconds);
    for (const { source, scoring } of replicas) if (scoring) scoringSeconds[source] += seconds;
  };
  while (finished === undefined) {
    if (hosts.next(pass)) continue;
    throw new RangeError(
      `The run stands still after ${done} of ${steps} steps: a checkpoint covers more documents than nats.maxDocuments holds`,
    );
  }
  const seconds = finished;
  return {
    seconds,
    stepEnds,
    causes,
    scoringShares: sources.map(({ replicas: { length } }, s) => scoringSeconds[s] / (seconds * length)),
    natsShare: hosts.busySeconds(natsHost) / seconds,
  };
}
