import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { contentEnd } from '../../../model/chat/content-layout.ts';
import { contentOf } from '../../../model/chat/conversation.ts';
import { unfitFor } from '../../../wire/codec/check-distribution.ts';
import { decodeTextDistribution } from '../../../wire/codec/decode-text-distribution.ts';
import { refusedDistribution, type TextDistribution } from '../../../wire/codec/text-distribution.ts';
import { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../../wire/grpc/client.ts';
import type { DocumentContent } from '../../../wire/nats/run-streams.ts';
import { listenTo, silentFor } from './silence.ts';
import type { Source } from './source.ts';

/** Of a process that works and says so: on a processor, a long text takes its time. */
const answerWithin = 120_000;

/** How a source is asked, and its answer checked. */
export interface Question {
  readonly topK: number;
  readonly topP: number;
  /** SHA-256 of the source's tokenizer. */
  readonly fingerprint: Uint8Array;
  /** @throws FuseMeshError data_loss where the answer cannot be used */
  readonly check: (distribution: TextDistribution) => void;
  readonly signal: AbortSignal;
}

/**
 * What a source says about a document, asked by gRPC and not through the stream. That it cannot score the document
 * is an answer too, as it is on the stream. Its processes are asked one after the other; one that hangs is left after
 * five seconds.
 *
 * @throws FuseMeshError with the source's own code, unavailable when it does not answer, data_loss where the answer
 *   cannot be used
 */
export async function askSource(
  source: Source,
  document: AskedDocument,
  question: Question,
): Promise<TextDistribution> {
  let failure: unknown;
  for (const replica of source.askable) {
    const listening = listenTo(replica);
    const signal = AbortSignal.any([question.signal, listening.hangs]);
    try {
      return await askReplica(source, replica.address, document, { ...question, signal });
    } catch (error) {
      failure = listening.hangs.aborted
        ? new FuseMeshError('unavailable', `${replica.address} hangs: it has said nothing for ${silentFor} s`)
        : error;
      if (question.signal.aborted) break;
    } finally {
      listening.stop();
    }
  }
  throw failure;
}

interface AskedDocument extends DocumentContent {
  readonly number: number;
}

async function askReplica(
  { name, security }: Source,
  address: string,
  document: AskedDocument,
  { topK, topP, fingerprint, check, signal }: Question,
): Promise<TextDistribution> {
  const client = createClient(TeacherService, address, security);
  const { number, text, turns, tools } = document;
  const origin = { document: number, teacher: name };
  try {
    const request = { text, turns, tools, topK, topP };
    const { distribution } = await client.score(request, { signal, timeoutMs: answerWithin });
    if (!distribution) throw new FuseMeshError('data_loss', `${address} answered without a distribution`);
    const answer = { ...decodeTextDistribution(distribution), ...origin };
    check(answer);
    const unfit = unfitFor(answer, contentEnd(contentOf(document)));
    if (unfit === undefined) return answer;
    throw new FuseMeshError('data_loss', `${address} answered with another text's distributions: ${unfit}`);
  } catch (error) {
    if (!(error instanceof FuseMeshError) || error.code !== 'invalid_argument') throw error;
    return refusedDistribution({ ...origin, tokenizerFingerprint: fingerprint }, error.message);
  } finally {
    client.close();
  }
}
