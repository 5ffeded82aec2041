import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../../wire/grpc/client.ts';
import { type AttachRequest, attach } from './attach.ts';
import { type Listening, listenTo, silentFor } from './silence.ts';
import { nothingSaid, type Replica, type Source } from './source.ts';

const firstRetry = 250;
const longestRetry = 5_000;
const callTimeout = 10_000;
const repeatWarningAfter = 30_000;

export interface Attachment extends AttachRequest {
  /** Notified when the source's state changes. */
  readonly notifier: Notifier;
}

/**
 * Attaches one process of a source to the run and watches that it stays so, until aborted. One that is not there,
 * goes away or refuses is named in the log and asked again.
 *
 * @throws FuseMeshError invalid_argument when the source can never do what the run asks of it
 */
export async function keepAttached(source: Source, replica: Replica, attachment: Attachment): Promise<void> {
  const { notifier, signal, log } = attachment;
  const fields = { teacher: source.name, address: replica.address };
  const who = `Teacher ${source.name} at ${replica.address}`;
  const warning = new RepeatedWarning(log, repeatWarningAfter);
  let retryAfter = firstRetry;
  while (!signal.aborted) {
    const client = createClient(TeacherService, replica.address, source.security);
    let reason = 'it left the run';
    let listening: Listening | undefined;
    try {
      await attach(client, source, replica, attachment);
      replica.attached = true;
      notifier.notifyAll();
      log.info(fields, `${who} is attached`);
      retryAfter = firstRetry;
      warning.over();
      listening = listenTo(replica);
      const watched = { signal: AbortSignal.any([signal, listening.hangs]) };
      for await (const { status } of client.watchRun({ run: attachment.run }, watched)) {
        replica.said = status ?? nothingSaid;
        replica.words++;
      }
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      if (error.code === 'invalid_argument') {
        throw new FuseMeshError('invalid_argument', `Teacher ${source.name}: ${error.message}`, {
          cause: error,
        });
      }
      reason = listening?.hangs.aborted ? `it hangs: it has said nothing for ${silentFor} s` : error.message;
    } finally {
      listening?.stop();
      client.close();
    }
    replica.attached = false;
    replica.said = nothingSaid;
    notifier.notifyAll();
    if (signal.aborted) return;
    warning.warn(`${who} is not attached: ${reason}`, fields);
    await sleepUnlessAborted(retryAfter, signal);
    retryAfter = Math.min(2 * retryAfter, longestRetry);
  }
}

/** Tells the processes of a source that the run is over for them; those that do not answer are left alone. */
export async function detach(source: Source, run: string, log: Log): Promise<void> {
  await Promise.all(source.replicas.map((replica) => detachReplica(source, replica, run, log)));
}

async function detachReplica(
  { name, security }: Source,
  { address }: Replica,
  run: string,
  log: Log,
): Promise<void> {
  const client = createClient(TeacherService, address, security);
  try {
    await client.detachRun({ run }, { timeoutMs: callTimeout });
  } catch (error) {
    log.info(
      { teacher: name, address },
      `Teacher ${name} at ${address} was not detached: ${(error as Error).message}`,
    );
  } finally {
    client.close();
  }
}
