import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../log/log.ts';

/** An HTTP server for Prometheus. */
export interface MetricsServer {
  /** The port that it really got. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers a request and says true, or says false where the path is none of its own. */
export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * Serves GET /metrics in Prometheus' text format, and GET /healthz.
 *
 * @param route what else the port serves; it is asked where the path is neither of these
 * @param port 0 picks a free one
 * @throws FuseMeshError failed_precondition when the port is in use or not ours
 */
export async function serveMetrics(
  register: Registry,
  { host = '0.0.0.0', port, log, route }: { host?: string; port: number; log: Log; route?: Route },
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const { url, method } = request;
    const path = url?.split('?')[0];
    if (method !== 'GET' || (path !== '/metrics' && path !== '/healthz')) {
      if (await route?.(request, response)) return;
      response.writeHead(404).end('Try /metrics or /healthz\n');
      return;
    }
    if (path === '/healthz') response.end('ok\n');
    else response.setHeader('Content-Type', register.contentType).end(await register.metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? 'is in use: stop what listens there, or set metricsPort to another port (0 picks a free one)'
          : `cannot be opened: ${error.message}`;
      reject(
        new FuseMeshError('failed_precondition', `Port ${port} for metrics ${reason}`, { cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  log.info({ port: bound }, `Metrics are served at port ${bound}`);
  return {
    port: bound,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
