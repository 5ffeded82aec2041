import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import type { Log } from '../../process/log/log.ts';
import { RepeatedWarning } from '../../process/log/repeated-warning.ts';
import type { Metrics } from '../../process/metrics/metric.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { type DeliveredTask, markTaskEvery, type RolloutStreams } from '../../wire/nats/rollout-streams.ts';
import type { rolloutTable } from './metric-table.ts';
import type { TargetClients } from './target-clients.ts';
import { writeRollout } from './write-rollout.ts';

/** Pause after a call that failed, in milliseconds. */
const tryAgainAfter = 500;
/** How long a task whose weights are far away lies with NATS before somebody takes it again, in milliseconds. */
const giveBackFor = 1_000;
/** What the request itself is refused with: it would be refused again. */
const lasting = ['invalid_argument', 'unauthenticated', 'permission_denied', 'unimplemented'];

interface Parts {
  readonly streams: Pick<RolloutStreams, 'takeTasks' | 'publishRollout'>;
  readonly targets: TargetClients;
  /** Tasks in hand at a time. */
  readonly atOnce: number;
  readonly metrics: Metrics<typeof rolloutTable>;
  readonly tracer?: Tracer | undefined;
  readonly log: Log;
  /** Milliseconds that weights are waited for before another task is tried; left out, a while. */
  readonly waitAtMost?: number | undefined;
}

/**
 * Takes tasks, has the target write, publishes what it wrote, and only then acknowledges them, until aborted: what a
 * worker that dies had in hand goes to another one. Tasks in hand are given back when it leaves.
 *
 * @throws FuseMeshError where a target service refuses a task for good, or a task cannot be read
 */
export async function workOnRollouts(parts: Parts, signal: AbortSignal): Promise<void> {
  const { streams, atOnce, metrics } = parts;
  const failed = new AbortController();
  let failure: unknown;
  const working = AbortSignal.any([signal, failed.signal]);
  const inHand = new Set<Promise<void>>();
  const warning = new RepeatedWarning(parts.log);
  try {
    for await (const delivered of streams.takeTasks(working)) {
      const work = workOn(delivered, { ...parts, warning }, working)
        .catch((error: unknown) => {
          failure ??= error;
          failed.abort();
        })
        .finally(() => {
          inHand.delete(work);
          metrics.inHand.set(inHand.size);
        });
      inHand.add(work);
      metrics.inHand.set(inHand.size);
      if (inHand.size >= atOnce) await Promise.race(inHand);
    }
  } finally {
    failed.abort();
    await Promise.all(inHand);
  }
  if (failure !== undefined) throw failure;
}

async function workOn(
  delivered: DeliveredTask,
  parts: Parts & { readonly warning: RepeatedWarning },
  signal: AbortSignal,
): Promise<void> {
  const { streams, metrics, tracer, log } = parts;
  const { task } = delivered;
  const marking = setInterval(() => delivered.working(), markTaskEvery);
  const span = tracer?.start('rollout', {
    kind: 'consumer',
    attributes: { 'fusemesh.document': Number(task.document), 'fusemesh.prompt': Number(task.prompt) },
  });
  try {
    const document = await written(delivered, parts, signal);
    if (document === undefined) {
      metrics.givenBack.inc();
      delivered.giveBack(signal.aborted ? undefined : giveBackFor);
      span?.end();
      return;
    }
    await streams.publishRollout(document, signal);
    await delivered.ack();
    count(document, metrics);
    span?.end();
    log.debug({ document: Number(task.document), ...document.rollout }, 'Written');
  } catch (error) {
    span?.fail(error);
    delivered.giveBack();
    metrics.givenBack.inc();
    if (!(error instanceof FuseMeshError && error.code === 'cancelled' && signal.aborted)) throw error;
  } finally {
    clearInterval(marking);
  }
}

/** Until a target service has written it; undefined when aborted, or where another task should be tried. */
async function written(
  { task }: DeliveredTask,
  { targets, metrics, warning, waitAtMost }: Parts & { readonly warning: RepeatedWarning },
  signal: AbortSignal,
): Promise<Document | undefined> {
  while (!signal.aborted) {
    let begun = false;
    metrics.notBegun.inc();
    const begin = () => {
      if (!begun) metrics.notBegun.dec();
      begun = true;
    };
    const onBegun = (waited: number) => {
      begin();
      metrics.waitSeconds.observe(waited);
    };
    try {
      const document = await targets.call((client) =>
        writeRollout(task, client, { signal, onBegun, ...(waitAtMost !== undefined && { waitAtMost }) }).then(
          (document) => ({ document }),
        ),
      );
      if (document !== undefined) {
        warning.over();
        return document.document;
      }
      warning.warn('No target service is known: start one with `fusemesh target RUN.yaml`');
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof FuseMeshError) || lasting.includes(error.code)) throw error;
      metrics.failedCalls.inc({ code: error.code });
      warning.warn(`The target does not write, trying again: ${error.message}`);
    } finally {
      begin();
    }
    await sleepUnlessAborted(tryAgainAfter, signal);
  }
  return undefined;
}

function count({ rollout, turns }: Document, metrics: Parts['metrics']): void {
  metrics.documents.inc();
  metrics.tokens.inc(rollout?.tokens ?? 0);
  metrics.seconds.observe(rollout?.seconds ?? 0);
  if (turns[turns.length - 1].unfinished) metrics.unfinished.inc();
}
