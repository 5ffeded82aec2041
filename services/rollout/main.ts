import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { serveHttp } from '../../process/http/serve-http.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import { repeatUntilAborted } from '../../process/lifecycle/repeat.ts';
import type { Log } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { makeMetrics } from '../../process/metrics/metric.ts';
import { processMetrics } from '../../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import type { Tracer } from '../../process/tracing/tracer.ts';
import { portOf } from '../../wire/discovery/advertised-address.ts';
import { findTargets } from '../../wire/discovery/find.ts';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { LateConnection } from '../../wire/nats/late-connection.ts';
import { readinessByConnection } from '../../wire/nats/readiness-by-connection.ts';
import { openRolloutStreams } from '../../wire/nats/rollout-streams.ts';
import { rolloutTable } from './metric-table.ts';
import { workOnRollouts } from './rollout-worker.ts';
import { TargetClients } from './target-clients.ts';

export interface RolloutOptions {
  /** When it aborts, the worker gives back what it has in hand, and leaves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Left out, it makes no traces. */
  readonly tracer?: Tracer | undefined;
  /** HOST:PORT of /metrics; port 0 picks a free one. */
  readonly listen?: string;
  /** Prompts in hand at a time; left out, as many as target.service has slots. */
  readonly atOnce?: number | undefined;
  readonly onReady?: (listening: { readonly metricsPort: number }) => void;
}

/** How often it is looked for target services, in milliseconds. */
const lookEvery = 5_000;

/**
 * A worker that has the target of a run write what the feeder asks for, until the signal. Any number of them share the
 * work. Target services that are away, or not there yet, are waited for.
 *
 * @throws FuseMeshError invalid_argument where the run has no onPolicy; what a target service refuses for good
 */
export async function runRolloutWorker(config: RunConfig, options: RolloutOptions): Promise<void> {
  const { signal, tracer, listen = '127.0.0.1:0', onReady } = options;
  const log = options.log.child({ run: config.run });
  const { onPolicy, service } = { ...config, ...config.target };
  if (onPolicy === undefined || service === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      'The run has no onPolicy, so there is nothing for the target to write: set onPolicy.prompts and target.service.',
    );
  }
  const register = createRegister({ run: config.run });
  const readiness = new Readiness();
  readiness.lacks('nats', 'it is not connected to NATS yet');
  const metrics = makeMetrics(rolloutTable, register);
  const { onNats } = processMetrics(register);
  const onEvent = readinessByConnection(readiness, onNats);
  const http = await serveHttp(register, {
    host: hostOfAddress(listen),
    port: portOf(listen),
    log,
    readiness,
    security: config.security,
  });
  const nats = new LateConnection(() =>
    connectNats(config, `fusemesh rollout worker of ${config.run}`, { log, onEvent }),
  );
  // A port that is still to be chosen answers nobody.
  const fixed = service.address.endsWith(':0') ? undefined : service.address;
  const targets = new TargetClients(fixed, config.security);
  metrics.targets.set(targets.count);
  const stop = new AbortController();
  let looking: Promise<void> | undefined;
  try {
    onReady?.({ metricsPort: http.port });
    const connection = await nats.whenThere(signal, log);
    if (connection === undefined) return;
    looking = lookForTargets(connection, config.run, {
      signal: AbortSignal.any([signal, stop.signal]),
      log,
      onFound: (addresses) => {
        targets.found(addresses);
        metrics.targets.set(targets.count);
      },
    });
    const streams = openRolloutStreams(connection, config.run);
    await streams.ensure(config.nats);
    const { atOnce = service.slots } = options;
    log.info({ atOnce }, 'The worker takes prompts');
    await workOnRollouts({ streams, targets, atOnce, metrics, tracer, log }, signal);
  } finally {
    stop.abort();
    await looking;
    targets.close();
    await nats.close();
    await http.stop();
  }
}

/** Finds the target services of a run over NATS again and again, until aborted. */
async function lookForTargets(
  connection: NatsConnection,
  run: string,
  {
    signal,
    log,
    onFound,
  }: {
    readonly signal: AbortSignal;
    readonly log: Log;
    readonly onFound: (addresses: readonly string[]) => void;
  },
): Promise<void> {
  // Where NATS is away or does not let us look, the address of the run file remains.
  const onFailure = ({ message }: FuseMeshError) => log.debug(`Cannot look for target services: ${message}`);
  await repeatUntilAborted({ pause: lookEvery, signal, onFailure }, async () => {
    const found = await findTargets(connection);
    onFound(found.filter((target) => target.run === run).map(({ address }) => address));
  });
}
