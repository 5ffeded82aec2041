import { createHash } from 'node:crypto';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { repeatUntilAborted } from '../../process/lifecycle/repeat.ts';
import { refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { readInOrder } from './read-in-order.ts';
import { lifeOf, type StreamPosition } from './stream-settings.ts';
import { untilAnswered } from './until-answered.ts';
import { type AnnouncedWeights, isWhole, lastAnnounced } from './weights-bucket.ts';
import { bucketSubjects, chunksSubject, parseAnnouncement, type WeightsObject } from './weights-object.ts';

/** Pause before a bucket that is not there is looked for again, in milliseconds. */
const lookAgainAfter = 500;
/** Without a chunk for so long, it is looked whether the object is still there; in milliseconds. */
const doubtAfter = 3_000;

/** The weights that were published last, while the server can be waited for; undefined without any, or when aborted. */
export function newestWeights(
  context: RunContext,
  signal: AbortSignal,
): Promise<AnnouncedWeights | undefined> {
  return untilAnswered(context.connection, 'look for weights', signal, () => lastAnnounced(context));
}

/**
 * The newest weights, now and whenever there are newer ones; those that were superseded while the caller was busy are
 * passed over. Newest is what was published last: after a trainer resumed from a checkpoint, its step may be lower than
 * that of weights before. Waits for a bucket that is not there yet; ends when aborted.
 */
export async function* followWeights(
  context: RunContext,
  signal: AbortSignal,
): AsyncGenerator<WeightsObject> {
  const changed = new Notifier();
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const wake = () => changed.notifyAll();
  signal.addEventListener('abort', wake);
  let newest: WeightsObject | undefined;
  let failure: { readonly error: unknown } | undefined;
  const listening = listen(context, until, (object) => {
    newest = object;
    wake();
  }).catch((error: unknown) => {
    failure = { error };
    wake();
  });
  try {
    let given: string | undefined;
    while (!signal.aborted) {
      const change = changed.next();
      if (failure !== undefined) throw failure.error;
      if (newest !== undefined && newest.id !== given) {
        given = newest.id;
        yield newest;
      } else await change;
    }
  } finally {
    signal.removeEventListener('abort', wake);
    done.abort();
    await listening;
  }
}

/** Hears of every announcement from the newest on. */
async function listen(
  context: RunContext,
  signal: AbortSignal,
  hear: (object: WeightsObject) => void,
): Promise<void> {
  const { announcements } = bucketSubjects(context.names);
  const onFailure = (error: FuseMeshError) => {
    if (error.code !== 'not_found') throw error;
  };
  await repeatUntilAborted({ pause: lookAgainAfter, signal, onFailure }, async () => {
    const after = await beforeNewest(context, signal);
    const source = { stream: context.names.weightsStream, subject: announcements, after };
    for await (const { bytes } of readInOrder(context, source, signal)) {
      const object = parseAnnouncement(bytes);
      if (object !== undefined) hear(object);
    }
  });
}

/** The position after which a reader finds the newest weights first. */
async function beforeNewest(context: RunContext, signal: AbortSignal): Promise<StreamPosition | undefined> {
  const newest = await newestWeights(context, signal);
  if (newest === undefined) return undefined;
  const { connection, names } = context;
  const info = await untilAnswered(connection, 'look for weights', signal, () =>
    connection.manager.streams.info(names.weightsStream),
  );
  return info && { position: newest.position - 1, life: lifeOf(info) };
}

/**
 * Reads an object chunk by chunk, waiting while the server is away.
 *
 * @param write takes each chunk before the next one is read
 * @throws FuseMeshError not_found when it was superseded and removed, data_loss when it is not what was published,
 *   cancelled when aborted
 */
export async function readWeights(
  context: RunContext,
  object: WeightsObject,
  write: (chunk: Uint8Array) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { connection, names } = context;
  const { step, id, bytes, chunks, sha256 } = object;
  const doing = `read the weights of step ${step}`;
  const gone = new AbortController();
  const until = AbortSignal.any([signal, gone.signal]);
  const doubt = async () => {
    const whole = await untilAnswered(connection, doing, until, () => isWhole(context, object));
    if (whole === false) gone.abort();
    else timer.refresh();
  };
  const timer = setTimeout(() => void doubt().catch(() => timer.refresh()), doubtAfter);
  const hash = createHash('sha256');
  let count = 0;
  let size = 0;
  try {
    const source = { stream: names.weightsStream, subject: chunksSubject(names, id), after: undefined };
    for await (const { bytes: chunk } of chunks === 0 ? [] : readInOrder(context, source, until)) {
      timer.refresh();
      hash.update(chunk);
      size += chunk.length;
      await write(chunk);
      if (++count === chunks) break;
    }
  } catch (error) {
    if (refusalOf((error as Error).cause) !== 'stream missing') throw error;
  } finally {
    gone.abort();
    clearTimeout(timer);
  }
  if (signal.aborted) throw new FuseMeshError('cancelled', `Stopped before it could ${doing}.`);
  if (count < chunks) {
    throw new FuseMeshError('not_found', `Cannot ${doing}: they are not on ${connection.url} any more.`);
  }
  if (size !== bytes || hash.digest('hex') !== sha256) {
    throw new FuseMeshError(
      'data_loss',
      `The weights of step ${step} on ${connection.url} are not what was published: their SHA-256 is another.`,
    );
  }
}
