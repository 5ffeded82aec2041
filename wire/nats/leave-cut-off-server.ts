import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsConnection as Connection, Events, type JetStreamManager } from 'nats';
import type { Log } from '../../process/log/log.ts';

const askEvery = 5_000;
/** Questions in a row without an answer; each waits 5 s at most, the client's own time limit. */
const unansweredBefore = 2;

/**
 * Goes to another server where this one has lost the leader of its cluster's JetStream, as when the network between the
 * servers is cut: it stands, and answers nothing that needs the others. Goes on until the connection is closed.
 */
export async function leaveCutOffServer(
  raw: Connection,
  manager: JetStreamManager,
  log: Log | undefined,
): Promise<void> {
  let stands = true;
  const closed = new AbortController();
  void raw.closed().then(() => closed.abort());
  void (async () => {
    for await (const { type } of raw.status()) {
      if (type === Events.Disconnect) stands = false;
      else if (type === Events.Reconnect) stands = true;
    }
  })();
  for (let unanswered = 0; !closed.signal.aborted; ) {
    await sleep(askEvery, undefined, { signal: closed.signal, ref: false }).catch(() => {});
    const server = raw.getServer();
    const answered = await manager.getAccountInfo().then(
      () => true,
      () => false,
    );
    // While there is no connection, the client looks for another server by itself.
    unanswered = answered || !stands || raw.getServer() !== server ? 0 : unanswered + 1;
    if (unanswered < unansweredBefore || closed.signal.aborted) continue;
    log?.warn({ server }, `NATS at ${server} has lost the leader of its cluster: going to another server`);
    unanswered = 0;
    await raw.reconnect().catch(() => {});
  }
}
