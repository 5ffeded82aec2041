import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import type { FollowWeights, OnWeights } from '../../services/target/follow-weights.ts';
import { runTarget } from '../../services/target/main.ts';

/** Directory of an example model. */
export const zooModel = (name: string): string =>
  fileURLToPath(new URL(`../../examples/zoo/${name}`, import.meta.url));

/** A target service of a test, in this process. */
export interface RunningTarget {
  /** HOST:PORT. */
  readonly grpc: string;
  /** http://HOST:PORT/v1. */
  readonly baseUrl: string;
  /** Has other weights served. */
  readonly onWeights: OnWeights;
  /** http://HOST:PORT. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves a zoo model as the target of a run "demo".
 *
 * @param service beside the address
 * @param run what else the run file says
 */
export async function startTarget(
  model: string,
  service: object = {},
  run: object = {},
): Promise<RunningTarget> {
  const config = runConfigSchema.parse({
    run: 'demo',
    nats: { url: 'nats://127.0.0.1:1' },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
    target: { model, service: { address: '127.0.0.1:0', ...service } },
    trainer: { output: 'unused' },
    ...run,
  });
  const stop = new AbortController();
  const log = createLog('target', { level: 'silent' });
  let begun: (onWeights: OnWeights) => void = () => {};
  const later = new Promise<OnWeights>((resolve) => {
    begun = resolve;
  });
  const follow: FollowWeights = async (onWeights, { signal }) => {
    await onWeights(model, 0);
    begun(onWeights);
    if (!signal.aborted) await once(signal, 'abort');
  };
  let serving: Promise<void> = Promise.resolve();
  const { grpc, metricsPort } = await new Promise<{ grpc: string; metricsPort: number }>(
    (resolve, reject) => {
      serving = runTarget(config, { signal: stop.signal, log, onReady: resolve }, follow);
      serving.catch(reject);
    },
  );
  const url = `http://127.0.0.1:${metricsPort}`;
  return {
    grpc,
    url,
    baseUrl: `${url}/v1`,
    onWeights: async (directory, step) => (await later)(directory, step),
    async stop() {
      stop.abort();
      await serving;
    },
  };
}
