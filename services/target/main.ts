import type { RunConfig } from '../../process/config/schema.ts';
import { serveHttp } from '../../process/http/serve-http.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { processMetrics } from '../../process/metrics/process-metrics.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { LateConnection } from '../../wire/nats/late-connection.ts';
import { type FollowWeights, followWeights } from './follow-weights.ts';
import { LiveTarget } from './live-target.ts';
import { OpenAiFront } from './openai/front.ts';
import { targetSettings } from './target-settings.ts';

/** Where a target service can be reached. */
export interface TargetAddresses {
  /** HOST:PORT at which the gRPC services are called. */
  readonly grpc: string;
  /** Port of the OpenAI-compatible front and of /metrics. */
  readonly metricsPort: number;
}

export interface TargetOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** A directory of checkpoints to take weights from, in the place of those that the trainer publishes. */
  readonly checkpoints?: string | undefined;
  readonly onReady?: (addresses: TargetAddresses) => void;
}

/**
 * Serves the target of a run with its newest weights until the signal, by gRPC and as OpenAI's API. It answers without
 * NATS too.
 *
 * @param follow left out, the weights are those that the run's trainer publishes, or those of the checkpoints
 * @throws FuseMeshError what the model or its weights failed with: whoever looks after the process starts it again
 */
export async function runTarget(
  config: RunConfig,
  { signal, log, checkpoints, onReady }: TargetOptions,
  follow: FollowWeights = followWeights,
): Promise<void> {
  const settings = targetSettings(config);
  const register = createRegister({ run: config.run });
  const readiness = new Readiness();
  readiness.lacks('weights', 'they are being loaded');
  const { onHandled, onNats } = processMetrics(register);
  const front = new OpenAiFront(config.run, log);
  // Before the model, so that whoever looks after processes can tell one that loads from one that hangs.
  const http = await serveHttp(register, {
    host: hostOfAddress(settings.listen ?? settings.address),
    port: settings.httpPort,
    log,
    readiness,
    security: config.security,
    route: front.route,
    refuseAccess: front.refuseAccess,
  });
  const nats = new LateConnection(() => connectNats(config, 'fusemesh target', { log, onEvent: onNats }));
  const target = new LiveTarget({
    ...{ config, settings, register, readiness, onHandled, nats, front, log },
    httpPort: http.port,
    onReady: (grpc) => onReady?.({ grpc, metricsPort: http.port }),
  });
  const failed = new AbortController();
  try {
    const until = AbortSignal.any([signal, failed.signal]);
    const following = follow(target.onWeights, { config, nats, checkpoints, signal: until, log });
    const failure = await Promise.race([following, target.failed]);
    readiness.lacks('process', failure?.message ?? 'it is stopping');
    if (failure) {
      failed.abort();
      await following.catch(() => undefined);
      throw failure;
    }
  } finally {
    await target.stop();
    await nats.close();
    await http.stop();
  }
}
