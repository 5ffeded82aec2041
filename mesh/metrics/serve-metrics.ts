import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Readiness } from '../lifecycle/readiness.ts';
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
 * Serves GET /metrics in Prometheus' text format, and two checks, whose JSON says what is not ready: GET /healthz is
 * 200 as long as the process answers, GET /readyz is 503 when something is lacking.
 *
 * @param readiness left out, the process is always ready
 * @param route what else the port serves; it is asked where the path is neither of these
 * @param port 0 picks a free one
 * @throws FuseMeshError failed_precondition when the port is in use or not ours
 */
export async function serveMetrics(
  register: Registry,
  {
    host = '0.0.0.0',
    port,
    log,
    route,
    readiness = new Readiness(),
  }: { host?: string; port: number; log: Log; route?: Route; readiness?: Readiness },
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const { url, method } = request;
    const path = method === 'GET' ? url?.split('?')[0] : undefined;
    if (path === '/metrics') {
      response.setHeader('Content-Type', register.contentType).end(await register.metrics());
    } else if (path === '/healthz' || path === '/readyz') {
      const { ready, problems } = readiness;
      response.writeHead(path === '/healthz' || ready ? 200 : 503, { 'Content-Type': 'application/json' });
      response.end(`${JSON.stringify({ ready, problems })}\n`);
    } else if (!(await route?.(request, response))) {
      response.writeHead(404).end('Try /metrics, /healthz or /readyz\n');
    }
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
