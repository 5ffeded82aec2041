import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { type LocalNatsOptions, type LocalNatsServer, startLocalNatsServer } from './local-server.ts';

/** Between two tries to start it again, in milliseconds. */
const tryAgainAfter = 1_000;

/** A nats-server of our own that is started again when it dies. */
export type LastingNatsServer = Pick<LocalNatsServer, 'url' | 'tokenFile' | 'stop'>;

/**
 * Starts nats-server as {@link startLocalNatsServer} does. When it is killed, it comes back at the same port with
 * what it stored; its clients connect again by themselves.
 *
 * @param tell gets a line whenever the server has ended, and for each new reason why it cannot be started again
 */
export async function startLastingNatsServer(
  options: LocalNatsOptions,
  tell: (line: string) => void,
): Promise<LastingNatsServer> {
  let server = await startLocalNatsServer(options);
  const { url, tokenFile } = server;
  const port = Number(new URL(url).port);
  const stopping = new AbortController();

  const keeping = (async () => {
    for (;;) {
      await server.ended;
      if (stopping.signal.aborted) return;
      tell('nats-server has ended: starting it again');
      server = await startAgain();
      if (stopping.signal.aborted) return server.stop();
    }
  })();

  /** When stopped meanwhile, returns the server that has ended. */
  async function startAgain(): Promise<LocalNatsServer> {
    let last = '';
    while (!stopping.signal.aborted) {
      try {
        return await startLocalNatsServer({ ...options, port });
      } catch (error) {
        const { message } = error as Error;
        if (message !== last) tell(message);
        last = message;
      }
      await sleepUnlessAborted(tryAgainAfter, stopping.signal);
    }
    return server;
  }

  return {
    url,
    tokenFile,
    async stop() {
      stopping.abort();
      await server.stop();
      await keeping;
    },
  };
}
