import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { feederSource, putAside } from './dead-letters.ts';
import { DocumentDecoder } from './document-decoder.ts';
import { refusalOf } from './failure.ts';
import { type RunContext, teacherConsumer } from './names.ts';
import { acknowledge, takeMessages } from './take-messages.ts';
import { traceparentOf } from './traceparent.ts';

/** A document delivered to a teacher. */
export interface DeliveredDocument {
  readonly document: Document;
  /**
   * Acknowledges the document, so that it is not delivered again. Returns when the server has confirmed; one that is
   * away may deliver it again all the same.
   */
  ack(): Promise<void>;
  /** Puts a document that cannot be used among the dead letters, with the reason, and acknowledges it. */
  refuse(reason: string): Promise<void>;
  /** Restarts the 10 s after which the document is delivered again; called every {@link markEvery}. */
  working(): void;
  /** Where it belongs in a trace; undefined where it belongs to none. */
  traceparent(): string | undefined;
}

/** After so many milliseconds without a mark, a document counts as lost with who had it. */
const ackWait = 10_000;
/**
 * How often a document in hand is marked as worked on, in milliseconds: two marks may be late, as those of a process are
 * that computes on all its cores, and nobody else gets the document.
 */
export const markEvery = ackWait / 4;
/** For all replicas together. Each process fetches only what it scores soon, so this does not bound its memory. */
const leastInHand = 1024;
const what = 'the documents';

/** How a teacher takes documents. */
export interface ConsumeOptions {
  /** How many documents the teacher scores together, and so fetches at a time. */
  readonly batch: number;
  readonly signal: AbortSignal;
  /** Called for each malformed document, which is then among the dead letters and acknowledged. */
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
  const decoder = new DocumentDecoder(context, signal);
  yield* takeMessages<DeliveredDocument>(
    context,
    {
      stream: names.documentsStream,
      consumer: teacherConsumer(teacher),
      batch,
      doing: `take documents of run ${names.run} for teacher ${teacher}`,
      what,
      ensure: () => ensureConsumer(context, teacher, batch),
      read: async (message, bytes) => {
        const { document, malformed: reason } = await decoder.decode(bytes, message.seq);
        if (document !== undefined) return delivered(context, message, bytes, document);
        await refuse(context, message, bytes, reason);
        onMalformed?.({ position: message.seq, reason });
        return undefined;
      },
    },
    signal,
  );
}

function delivered(
  context: RunContext,
  message: JsMsg,
  bytes: Uint8Array,
  document: Document,
): DeliveredDocument {
  return {
    document,
    working: () => message.working(),
    traceparent: () => traceparentOf(message),
    ack: () => acknowledge(context, message, what),
    refuse: (reason) => refuse(context, message, bytes, reason),
  };
}

/** Acknowledges the document even where it cannot be put aside, so that nobody gets it again. */
async function refuse(context: RunContext, message: JsMsg, bytes: Uint8Array, reason: string): Promise<void> {
  const letter = { stream: 'documents', source: feederSource, position: message.seq } as const;
  await putAside(context, { ...letter, bytes, reason });
  await acknowledge(context, message, what);
}

async function ensureConsumer(
  { connection, names }: RunContext,
  teacher: string,
  batch: number,
): Promise<void> {
  const { consumers } = connection.manager;
  const name = teacherConsumer(teacher);
  const settings = { max_ack_pending: Math.max(4 * batch, leastInHand), ack_wait: nanos(ackWait) };
  const found = await consumers.info(names.documentsStream, name).catch((error: unknown) => {
    if (refusalOf(error) !== 'consumer missing') throw error;
    return undefined;
  });
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
}
