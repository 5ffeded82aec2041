import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { feederSource, putAside } from './dead-letters.ts';
import { decodeDocument, documentAtPosition } from './document-message.ts';
import { natsFailure } from './failure.ts';
import { fetchOnAndOn } from './fetch.ts';
import { type RunContext, teacherConsumer } from './names.ts';
import { traceparentOf } from './traceparent.ts';

/** A document in a teacher's hands. */
export interface DeliveredDocument {
  readonly document: Document;
  /** It is done with: it will not be delivered again. Returns when the server knows. */
  ack(): Promise<void>;
  /** It cannot be used: it goes to the dead letters with the reason, and is done with. */
  refuse(reason: string): Promise<void>;
  /** It is still in work: the 30 s until it is delivered again begin anew. */
  working(): void;
  /** Where it belongs in a trace; undefined where it belongs to none. */
  traceparent(): string | undefined;
}

const ackWait = nanos(30_000);
/** Enough for a few replicas whose batches are small. */
const leastInHand = 64;

/** How a teacher takes documents. */
export interface ConsumeOptions {
  /** How many the teacher scores together: so many are fetched at a time. */
  readonly batch: number;
  readonly signal: AbortSignal;
  /** Hears of each that is malformed: it has gone to the dead letters and is done with. */
  readonly onMalformed?:
    | ((malformed: { readonly position: number; readonly reason: string }) => void)
    | undefined;
}

export async function* consumeDocuments(
  context: RunContext,
  teacher: string,
  { batch, signal, onMalformed }: ConsumeOptions,
): AsyncGenerator<DeliveredDocument> {
  const { names } = context;
  const doing = `take documents of run ${names.run} for teacher ${teacher}`;
  await ensureConsumer(context, teacher, batch);
  for await (const message of fetchOnAndOn(
    context,
    { stream: names.documentsStream, consumer: teacherConsumer(teacher), batch, doing },
    signal,
  )) {
    let document: Document;
    try {
      document = decodeDocument(message.data, message.seq);
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      await refuse(context, message, error.message);
      onMalformed?.({ position: message.seq, reason: error.message });
      continue;
    }
    yield delivered(context, message, document);
  }
}

function delivered(context: RunContext, message: JsMsg, document: Document): DeliveredDocument {
  return {
    document,
    working: () => message.working(),
    traceparent: () => traceparentOf(message),
    ack: () => acknowledge(context, message),
    refuse: (reason) => refuse(context, message, reason),
  };
}

async function acknowledge({ connection }: RunContext, message: JsMsg): Promise<void> {
  try {
    await message.ackAck();
  } catch (error) {
    throw natsFailure(error, `acknowledge document ${documentAtPosition(message.seq)}`, connection.url);
  }
}

/** Nobody gets it again: where it cannot be put aside, it is acknowledged all the same. */
async function refuse(context: RunContext, message: JsMsg, reason: string): Promise<void> {
  const letter = { stream: 'documents', source: feederSource, position: message.seq } as const;
  await putAside(context, { ...letter, bytes: message.data, reason });
  await acknowledge(context, message);
}

async function ensureConsumer(
  { connection, names }: RunContext,
  teacher: string,
  batch: number,
): Promise<void> {
  const { consumers } = connection.manager;
  const name = teacherConsumer(teacher);
  const settings = { max_ack_pending: Math.max(4 * batch, leastInHand), ack_wait: ackWait };
  try {
    const found = await consumers.info(names.documentsStream, name).catch(() => undefined);
    if (found === undefined) {
      await consumers.add(names.documentsStream, {
        ...settings,
        durable_name: name,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        filter_subject: names.documentsSubject,
      });
    } else if ((found.config.max_ack_pending ?? 0) < settings.max_ack_pending) {
      await consumers.update(names.documentsStream, name, settings);
    }
  } catch (error) {
    throw natsFailure(error, `join run ${names.run} as teacher ${teacher}`, connection.url);
  }
}
