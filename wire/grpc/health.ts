import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Readiness } from '../../process/lifecycle/readiness.ts';

/**
 * Adds gRPC's health checking protocol. Every service, and the empty name that stands for the whole server, is
 * SERVING exactly as long as the process is ready.
 *
 * @returns says NOT_SERVING from now on, whatever becomes ready
 */
export function addHealth(server: Server, names: readonly string[], readiness: Readiness): () => void {
  const health = new HealthImplementation();
  let told: boolean | undefined;
  const tell = (serving: boolean) => {
    if (serving === told) return;
    told = serving;
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  const unfollow = readiness.follow(() => tell(readiness.ready));
  health.addToServer(server);
  return () => {
    unfollow();
    tell(false);
  };
}
