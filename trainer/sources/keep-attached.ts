import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { TeacherService } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import { type Client, createClient } from '../../mesh/grpc/client.ts';
import type { Log } from '../../mesh/log/log.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { Change } from '../change.ts';
import { nothingSaid, type Source } from './source.ts';

const firstRetry = 250;
const longestRetry = 5_000;
const callTimeout = 10_000;
/** What is checked with it takes four bytes a token. */
const largestVocabulary = 2 ** 24;
const repeatWarningAfter = 30_000;

export interface Attachment {
  readonly run: string;
  readonly topK: number;
  /** Announced when the source's state changes. */
  readonly change: Change;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Attaches a source to the run and watches that it stays so, until aborted. A source that is not there, goes
 * away or refuses is named in the log and asked again.
 *
 * @throws FuseMeshError invalid_argument when the source can never do what the run asks of it
 */
export async function keepAttached(source: Source, attachment: Attachment): Promise<void> {
  const { change, signal, log } = attachment;
  let retryAfter = firstRetry;
  let warned = { message: '', at: Number.NEGATIVE_INFINITY };
  while (!signal.aborted) {
    const client = createClient(TeacherService, source.address);
    let reason = 'it left the run';
    try {
      await attach(client, source, attachment);
      source.attached = true;
      change.announce();
      log.info(
        { teacher: source.name, address: source.address },
        `Teacher ${source.name} at ${source.address} is attached`,
      );
      retryAfter = firstRetry;
      warned = { message: '', at: Number.NEGATIVE_INFINITY };
      for await (const { status } of client.watchRun({ run: attachment.run }, { signal })) {
        source.said = status ?? nothingSaid;
      }
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      if (error.code === 'invalid_argument') {
        throw new FuseMeshError('invalid_argument', `Teacher ${source.name}: ${error.message}`, {
          cause: error,
        });
      }
      reason = error.message;
    } finally {
      client.close();
    }
    source.attached = false;
    source.said = nothingSaid;
    change.announce();
    if (signal.aborted) return;
    if (reason !== warned.message || performance.now() - warned.at > repeatWarningAfter) {
      warned = { message: reason, at: performance.now() };
      log.warn(
        { teacher: source.name, address: source.address },
        `Teacher ${source.name} at ${source.address} is not attached: ${reason}`,
      );
    }
    await sleep(retryAfter, undefined, { signal }).catch(() => {});
    retryAfter = Math.min(2 * retryAfter, longestRetry);
  }
}

/** Tells a source that the run is over for it; one that does not answer is left alone. */
export async function detach(source: Source, run: string, log: Log): Promise<void> {
  const client = createClient(TeacherService, source.address);
  try {
    await client.detachRun({ run }, { timeoutMs: callTimeout });
  } catch (error) {
    log.info(
      { teacher: source.name },
      `Teacher ${source.name} was not detached: ${(error as Error).message}`,
    );
  } finally {
    client.close();
  }
}

async function attach(
  client: Client<typeof TeacherService>,
  source: Source,
  { run, topK, signal }: Attachment,
): Promise<void> {
  const card = await client.getModelCard({}, { signal, timeoutMs: callTimeout });
  if (card.vocabularySize > largestVocabulary) {
    throw new FuseMeshError(
      'failed_precondition',
      `it says that its vocabulary has ${card.vocabularySize} tokens, more than the ${largestVocabulary} that any may have`,
    );
  }
  source.vocabularySize ||= card.vocabularySize;
  source.tokenizer ??= await downloadTokenizer(client, source.name, signal);
  if (Buffer.compare(source.tokenizer.fingerprint, card.tokenizerFingerprint) !== 0) {
    throw new FuseMeshError(
      'failed_precondition',
      `its tokenizer is another one than when this training began: start it with the model that it had`,
    );
  }
  await client.attachRun({ run, teacher: source.name, topK }, { signal, timeoutMs: callTimeout });
}

async function downloadTokenizer(
  client: Client<typeof TeacherService>,
  name: string,
  signal: AbortSignal,
): Promise<Tokenizer> {
  const chunks: Uint8Array[] = [];
  for await (const { chunk } of client.getTokenizer({}, { signal })) chunks.push(chunk);
  return Tokenizer.fromJson(Buffer.concat(chunks), `The tokenizer of teacher ${name}`);
}
