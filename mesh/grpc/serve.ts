import { logVerbosity, Server, type ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Log } from '../log/log.ts';
import { hostOfAddress } from '../security/loopback.ts';
import { checkDoor } from '../security/open-door.ts';
import { openSecurity, type SecuritySettings } from '../security/service-security.ts';
import { demandToken } from './bearer-token.ts';
import { serverCredentials } from './credentials.ts';
import type { ImplementedService } from './implementation.ts';
import { type HandledCall, observeCalls } from './observe-calls.ts';
import { addReflection } from './reflection.ts';

/** Largest message either way: the distributions of a long text are some megabytes. */
export const maximumMessageBytes = 64 << 20;

// What grpc-js would print beside the errors that we report; GRPC_VERBOSITY brings it back.
if (!process.env['GRPC_VERBOSITY']) setLogVerbosity(logVerbosity.NONE);

/** A running gRPC server. */
export interface GrpcServer {
  /** HOST:PORT with the port that it really got. */
  readonly address: string;
  /** Health of a service by its full name, as gRPC's health checking protocol reports it. */
  setServing(service: string, serving: boolean): void;
  /** Takes no further calls and waits for those in hand; after two seconds they are cut off. */
  stop(): Promise<void>;
}

/**
 * Serves gRPC services with health checking and reflection.
 *
 * @param address HOST:PORT; port 0 picks a free one
 * @param security that of the run file: encryption, and what callers must show; health checks need no token
 * @param onHandled hears of every call of the services that is over; not of health checks and reflection
 * @throws FuseMeshError failed_precondition when the address is in use or not ours, or would be open to other machines
 *   in plain text
 */
export async function serve({
  address,
  services,
  log,
  security = openSecurity,
  onHandled,
}: {
  address: string;
  services: readonly ImplementedService[];
  log: Log;
  security?: SecuritySettings;
  onHandled?: (call: HandledCall) => void;
}): Promise<GrpcServer> {
  await checkDoor({ what: 'gRPC', host: hostOfAddress(address) }, security, log);
  const server = new Server({
    'grpc.max_receive_message_length': maximumMessageBytes,
    'grpc.max_send_message_length': maximumMessageBytes,
    // A second server on the port would share its calls instead of being refused.
    'grpc.so_reuseport': 0,
    // The first is nearest to the caller: refused calls are counted too.
    interceptors: [...(onHandled ? [observeCalls(services, onHandled)] : []), ...demandToken(security)],
  });
  for (const { definition, handlers } of services) server.addService(definition, handlers(log));
  const names = services.map(({ service }) => service.typeName);
  const health = new HealthImplementation({
    '': 'SERVING',
    ...Object.fromEntries(names.map((name) => [name, 'SERVING' as const])),
  });
  health.addToServer(server);
  addReflection(
    server,
    services.map(({ service }) => service),
  );

  const port = await bind(server, address, serverCredentials(security));
  const bound = `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  log.info({ address: bound, services: names }, `gRPC is served at ${bound}`);
  return {
    address: bound,
    setServing: (service, serving) => health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING'),
    stop: () =>
      new Promise((resolve) => {
        for (const name of ['', ...names]) health.setStatus(name, 'NOT_SERVING');
        const cutOff = setTimeout(() => server.forceShutdown(), 2000);
        server.tryShutdown(() => {
          clearTimeout(cutOff);
          resolve();
        });
      }),
  };
}

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
            : `Cannot listen on ${address}: ${error.message}`,
          { cause: error },
        ),
      );
    });
  });
