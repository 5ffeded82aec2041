import type { Registry } from 'prom-client';
import { ownVersion } from '../lifecycle/own-version.ts';
import { makeMetrics } from './metric.ts';
import { processTable } from './process-table.ts';

/** What a process tells its own metrics; every function may be passed on as it is. */
export interface ProcessMetrics {
  /** A gRPC call is over. */
  onHandled(call: {
    readonly service: string;
    readonly method: string;
    /** Name of its gRPC status. */
    readonly code: string;
    readonly seconds: number;
  }): void;
  /** The connection to NATS stands, is lost, has come back or was closed. */
  onNats(event: 'connected' | 'lost' | 'back' | 'closed'): void;
}

/** Registers the metrics that every process has. */
export function processMetrics(register: Registry): ProcessMetrics {
  const metrics = makeMetrics(processTable, register);
  metrics.buildInfo.set({ version: ownVersion, node_version: process.version }, 1);
  // Until a connection stood it is not told whether there is one: a teacher serves gRPC without.
  metrics.natsConnected.remove();
  return {
    onHandled: ({ seconds, ...labels }) => metrics.grpcSeconds.observe(labels, seconds),
    onNats: (event) => {
      metrics.natsConnected.set(Number(event === 'connected' || event === 'back'));
      if (event === 'back') metrics.natsReconnects.inc();
    },
  };
}
