import { setMaxListeners } from 'node:events';
import { logVerbosity, Server, type ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { hostOfAddress } from '../../process/security/loopback.ts';
import { checkDoor } from '../../process/security/open-door.ts';
import { openSecurity, type SecuritySettings } from '../../process/security/service-security.ts';
import { serverOptions } from './channel-options.ts';
import { demandToken, serverCredentials } from './credentials.ts';
import type { ImplementedService } from './implementation.ts';
import { type HandledCall, observeCalls } from './observe-calls.ts';
import { methodPath } from './service-definition.ts';
import { addHealth, addReflection, standingStreams } from './standard-services.ts';

/** How long a stopping server waits for the calls in progress, in milliseconds. */
export const drainWithin = 10_000;
/** How long it then waits until its last answers are sent, in milliseconds. */
const answersSentWithin = 500;

// grpc-js would print beside the errors that we report; GRPC_VERBOSITY brings that back.
if (!process.env['GRPC_VERBOSITY']) setLogVerbosity(logVerbosity.NONE);

/** A running gRPC server. */
export interface GrpcServer {
  /** HOST:PORT with the actual port. */
  readonly address: string;
  /**
   * Reports NOT_SERVING at once, takes no further calls and waits for those in progress. After ten seconds they are
   * answered with UNAVAILABLE, and connections still open then are cut.
   */
  stop(): Promise<void>;
}

/**
 * Serves gRPC services with health checking and reflection.
 *
 * @param address HOST:PORT; port 0 picks a free one
 * @param security that of the run file: encryption, and what callers must show; health checks need no token
 * @param readiness what health checks report; left out, the server is always ready
 * @param onHandled called at the end of every call of the services, but not of health checks and reflection
 * @throws FuseMeshError failed_precondition when the address is in use or not ours, or would be open to other machines
 *   in plain text
 */
export async function serve({
  address,
  services,
  log,
  security = openSecurity,
  readiness = new Readiness(),
  onHandled,
}: {
  address: string;
  services: readonly ImplementedService[];
  log: Log;
  security?: SecuritySettings;
  readiness?: Readiness;
  onHandled?: (call: HandledCall) => void;
}): Promise<GrpcServer> {
  await checkDoor({ what: 'gRPC', host: hostOfAddress(address) }, security, log);
  const paths = new Set(
    services.flatMap(({ service }) => service.methods.map(({ name }) => methodPath(service, name))),
  );
  const standing = standingStreams((path) => paths.has(path));
  const server = new Server({
    ...serverOptions,
    // The first interceptor is nearest to the caller, so that refused calls are counted too.
    interceptors: [
      ...(onHandled ? [observeCalls(services, onHandled)] : []),
      ...demandToken(security),
      standing.interceptor,
    ],
  });
  const cut = new AbortController();
  // Every call in progress listens to it.
  setMaxListeners(0, cut.signal);
  for (const { definition, handlers } of services) server.addService(definition, handlers(log, cut.signal));
  const names = services.map(({ service }) => service.typeName);
  const stopServing = addHealth(server, names, readiness);
  addReflection(
    server,
    services.map(({ service }) => service),
  );

  const port = await bind(server, address, serverCredentials(security));
  const bound = `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  log.info({ address: bound, services: names }, `gRPC is served at ${bound}`);
  return {
    address: bound,
    stop: () =>
      new Promise((resolve) => {
        stopServing();
        // First let health watchers receive NOT_SERVING.
        setImmediate(() => standing.end());
        const cutOff = setTimeout(() => cut.abort(), drainWithin);
        const forced = setTimeout(() => {
          server.forceShutdown();
          // Do not wait for connections whose other end has vanished.
          resolve();
        }, drainWithin + answersSentWithin);
        server.tryShutdown(() => {
          clearTimeout(cutOff);
          clearTimeout(forced);
          resolve();
        });
      }),
  };
}

const elsewhere = ({ message }: Error): string =>
  message.includes('EADDRNOTAVAIL')
    ? ': no address of this machine: set listen to 0.0.0.0 and the port, or start it where the address is'
    : '';

const bind = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (!error) return resolve(port);
      const inUse = error.message.includes('EADDRINUSE');
      reject(
        new FuseMeshError(
          'failed_precondition',
          inUse
            ? `${address} is in use: stop what listens there, or choose another address (port 0 picks a free one)`
            : `Cannot listen on ${address}: ${error.message}${elsewhere(error)}`,
          { cause: error },
        ),
      );
    });
  });
