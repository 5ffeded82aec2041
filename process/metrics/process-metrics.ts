import type { Registry } from 'prom-client';
import { ownVersion } from '../lifecycle/own-version.ts';
import { makeMetrics } from './metric.ts';
import { processTable } from './process-table.ts';

/** Records events of a process in its metrics; the functions need no `this`. */
export interface ProcessMetrics {
  /** A gRPC call is over. */
  onHandled(call: {
    readonly service: string;
    readonly method: string;
    /** Name of its gRPC status. */
    readonly code: string;
    readonly seconds: number;
  }): void;
  /** The connection to NATS stands, is lost, has come back or was closed; or what is published is not answered. */
  onNats(event: 'connected' | 'lost' | 'back' | 'closed' | 'unanswered'): void;
}

/** Registers the metrics that every process has. */
export function processMetrics(register: Registry): ProcessMetrics {
  const metrics = makeMetrics(processTable, register);
  metrics.buildInfo.set({ version: ownVersion, node_version: process.version }, 1);
  // Absent until the first connection: a teacher also serves gRPC without NATS.
  metrics.natsConnected.remove();
  return {
    onHandled: ({ seconds, ...labels }) => metrics.grpcSeconds.observe(labels, seconds),
    onNats: (event) => {
      if (event === 'unanswered') {
        metrics.natsUnanswered.inc();
        return;
      }
      metrics.natsConnected.set(Number(event === 'connected' || event === 'back'));
      if (event === 'back') metrics.natsReconnects.inc();
    },
  };
}
