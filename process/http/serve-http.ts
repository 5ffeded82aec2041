import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Readiness } from '../lifecycle/readiness.ts';
import type { Log } from '../log/log.ts';
import { checkDoor } from '../security/open-door.ts';
import { openSecurity, type SecuritySettings, serverTls } from '../security/service-security.ts';
import { type HttpRefusal, httpAccess } from './http-access.ts';

/** The HTTP server of a process: metrics, checks of its health, and the page where there is one. */
export interface HttpServer {
  /** The port that it really got. */
  readonly port: number;
  stop(): Promise<void>;
}

/** What supervises processes asks for these, and has neither token nor certificate. */
const openPaths = new Set(['/healthz', '/readyz']);

/** Answers a request and returns true, or returns false for a path that it does not serve. */
export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** Tells in a form of its own who may not call why, and returns true; or returns false for a path that has none. */
export type RefuseAccess = (
  request: IncomingMessage,
  response: ServerResponse,
  refusal: HttpRefusal,
) => boolean;

/**
 * Serves GET /metrics in Prometheus' text format, and two checks whose JSON says what is not ready: GET /healthz is
 * 200 as long as the process answers, GET /readyz is 503 while something is not ready.
 *
 * @param readiness left out, the process is always ready
 * @param route what else the port serves; it is asked where the path is neither of these
 * @param refuseAccess how `route` tells that a caller may not call; left out, in a line of text
 * @param host where it listens: that of the process's gRPC service
 * @param port 0 picks a free one
 * @param security that of the run file; /healthz is open to everybody who gets a connection
 * @throws FuseMeshError failed_precondition when the port is in use or not ours, or would be open to other machines in
 *   plain text
 */
export async function serveHttp(
  register: Registry,
  {
    host,
    port,
    log,
    route,
    refuseAccess,
    readiness = new Readiness(),
    security = openSecurity,
  }: {
    host: string;
    port: number;
    log: Log;
    route?: Route;
    refuseAccess?: RefuseAccess;
    readiness?: Readiness;
    security?: SecuritySettings;
  },
): Promise<HttpServer> {
  await checkDoor({ what: 'HTTP', host }, security, log);
  const refusalOf = httpAccess(security);
  const server = createHttpServer(security, async (request, response) => {
    const { url, method } = request;
    const asked = url?.split('?')[0];
    const refusal = openPaths.has(asked ?? '') ? undefined : refusalOf(request);
    if (refusal) {
      if (refuseAccess?.(request, response, refusal)) return;
      response.writeHead(refusal.status, refusal.headers).end(`${refusal.text}\n`);
      return;
    }
    const path = method === 'GET' ? asked : undefined;
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
          : `cannot be opened: ${error.message}${
              error.code === 'EADDRNOTAVAIL'
                ? ': no address of this machine: set listen to 0.0.0.0 and the port, or start it where the address is'
                : ''
            }`;
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

/** A client without the demanded certificate may connect too, so that it can ask for health. */
function createHttpServer(security: SecuritySettings, listener: RequestListener) {
  const tls = serverTls(security);
  if (!tls) return createServer(listener);
  const requestCert = security.tls?.clientCertificates ?? false;
  const { ca, key, certificate: cert } = tls;
  return createTlsServer({ cert, key, ...(ca && { ca }), requestCert, rejectUnauthorized: false }, listener);
}
