import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

/** The calls of others' services that end only when the caller leaves: watchers of health, readers of reflection. */
export interface StandingStreams {
  readonly interceptor: ServerInterceptor;
  /** Ends them, so that a server that leaves waits for none. */
  end(): void;
}

/** @param isOwn whether a path is of our own services, whose calls are finished instead */
export function standingStreams(isOwn: (path: string) => boolean): StandingStreams {
  const standing = new Set<ServerInterceptingCall>();
  return {
    interceptor: ({ path, responseStream }, call) => {
      if (isOwn(path) || !responseStream) return new ServerInterceptingCall(call);
      const intercepted = new ServerInterceptingCall(call, {
        start: (next) => {
          standing.add(intercepted);
          // grpc-js tells this at the end of every call.
          next({ onCancel: () => standing.delete(intercepted) });
        },
      });
      return intercepted;
    },
    end: () => {
      for (const call of standing) {
        call.sendStatus({ code: status.UNAVAILABLE, details: 'The server is stopping.' });
      }
    },
  };
}
