import { createHash } from 'node:crypto';
import { headers, nuid } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { natsFailure } from './failure.ts';
import type { RunContext } from './names.ts';
import { type Publication, publishStored } from './publish-stored.ts';
import { untilAnswered } from './until-answered.ts';
import { ensureBucket, isWhole, lastAnnounced, removeOlder } from './weights-bucket.ts';
import {
  announcementSubject,
  chunksSubject,
  formatAnnouncement,
  type WeightsObject,
} from './weights-object.ts';

/** What is to be published. */
export interface WeightsContent {
  /** Steps of the training after which the weights are. */
  readonly step: number;
  /** The bytes of a safetensors file, in order, cut anywhere. */
  readonly parts: readonly Uint8Array[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Few enough answers for large models, and small against the buffers of who reads. */
const mostChunkBytes = 512 * 1024;
/** For subject and headers, where the server takes little at once. */
const roomBeside = 4 * 1024;
/** Chunks on their way at once. */
const atOnce = 8;
/** The last and the one before: who has begun to read that one can end. */
const kept = 2;

/**
 * Publishes weights: chunks, then the announcement; makes the bucket where it is missing. What is published already as
 * the last, to the bit, is left as it is.
 *
 * @param options.patience seconds without an answer of the server after which it gives up
 * @param options.replicas servers of a cluster that hold the bucket
 * @returns what was published, or was there
 * @throws FuseMeshError unavailable when the server does not answer, or has lost chunks meanwhile: publish again
 */
export async function publishWeights(
  context: RunContext,
  content: WeightsContent,
  { patience, replicas }: { readonly patience: number; readonly replicas: number },
): Promise<WeightsObject> {
  const { connection, names } = context;
  const { step, parts, metadata } = content;
  const doing = `publish the weights of step ${step}`;
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const sha256 = hash.digest('hex');
  await ensureBucket(context, replicas);
  const silence = new Silence(1000 * patience);
  const store = async (publication: Publication) => {
    await publishStored(context, publication, { signal: silence.signal });
    silence.broken();
  };
  const answered = async <T>(request: () => Promise<T>): Promise<T> => {
    const answer = await untilAnswered(
      connection,
      doing,
      silence.signal,
      async () => [await request()] as const,
    );
    if (answer === undefined) throw new FuseMeshError('cancelled', `Stopped before it could ${doing}.`);
    silence.broken();
    return answer[0];
  };
  const isThere = (object: WeightsObject) => answered(() => isWhole(context, object));
  try {
    const last = await answered(() => lastAnnounced(context));
    if (last?.step === step && last.sha256 === sha256 && (await isThere(last))) return last;

    const id = nuid.next();
    const subject = chunksSubject(names, id);
    const chunkBytes = Math.min(
      mostChunkBytes,
      (connection.raw.info?.max_payload ?? mostChunkBytes) - roomBeside,
    );
    let chunks = 0;
    let bytes = 0;
    let sent: Promise<void>[] = [];
    for (const chunk of chunksOf(parts, chunkBytes)) {
      sent.push(store({ subject, bytes: chunk, once: { msgID: `${id}/${chunks}` }, doing }));
      chunks++;
      bytes += chunk.length;
      if (sent.length === atOnce) {
        await Promise.all(sent);
        sent = [];
      }
    }
    await Promise.all(sent);

    const object: WeightsObject = { step, id, bytes, chunks, sha256, metadata };
    if (!(await isThere(object))) {
      throw new FuseMeshError('unavailable', `Cannot ${doing}: ${connection.url} has lost a part of them.`);
    }
    const rollup = headers();
    rollup.set('Nats-Rollup', 'sub');
    await store({
      subject: announcementSubject(names, step),
      bytes: formatAnnouncement(names, object, chunkBytes),
      once: { msgID: id },
      headers: rollup,
      doing,
    });
    await answered(() => removeOlder(context, kept));
    return object;
  } catch (error) {
    if (!silence.signal.aborted) throw natsFailure(error, doing, connection.url);
    throw new FuseMeshError(
      'unavailable',
      `Cannot ${doing}: the NATS server at ${connection.url} has not answered for ${patience} s.`,
      { cause: error },
    );
  } finally {
    silence.end();
  }
}

/** Aborts its signal when nobody has broken it for a time. */
class Silence {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => this.#abort.abort(), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  broken(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** The same bytes in pieces of one size, but for the last; copied only where two parts meet. */
function* chunksOf(parts: readonly Uint8Array[], chunkBytes: number): Generator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let gathered = 0;
  for (const part of parts) {
    for (let begin = 0; begin < part.length; ) {
      const piece = part.subarray(begin, begin + chunkBytes - gathered);
      begin += piece.length;
      gathered += piece.length;
      rest.push(piece);
      if (gathered < chunkBytes) continue;
      yield rest.length === 1 ? piece : Buffer.concat(rest);
      rest = [];
      gathered = 0;
    }
  }
  if (gathered > 0) yield Buffer.concat(rest);
}
