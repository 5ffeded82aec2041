import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { decodeDocument } from './document-message.ts';
import { natsFailure } from './failure.ts';
import { fetchOnAndOn } from './fetch.ts';
import { type RunContext, teacherConsumer } from './names.ts';
import { traceparentOf } from './traceparent.ts';

/** A document in a teacher's hands. */
export interface DeliveredDocument {
  readonly document: Document;
  /** It is done with: it will not be delivered again. Returns when the server knows. */
  ack(): Promise<void>;
  /** It is still in work: the 30 s until it is delivered again begin anew. */
  working(): void;
  /** Where it belongs in a trace; undefined where it belongs to none. */
  traceparent(): string | undefined;
}

const ackWait = nanos(30_000);
/** Of all replicas together; each process takes no more than it scores soon, so this bounds nobody's memory. */
const leastInHand = 1024;

export async function* consumeDocuments(
  context: RunContext,
  teacher: string,
  batch: number,
  signal: AbortSignal,
): AsyncGenerator<DeliveredDocument> {
  const { connection, names } = context;
  const { url } = connection;
  const doing = `take documents of run ${names.run} for teacher ${teacher}`;
  await ensureConsumer(context, teacher, batch);
  for await (const message of fetchOnAndOn(
    context,
    { stream: names.documentsStream, consumer: teacherConsumer(teacher), batch, doing },
    signal,
  )) {
    yield delivered(message, url);
  }
}

function delivered(message: JsMsg, url: string): DeliveredDocument {
  const document = decodeDocument(message.data, message.seq);
  return {
    document,
    working: () => message.working(),
    traceparent: () => traceparentOf(message),
    async ack() {
      try {
        await message.ackAck();
      } catch (error) {
        throw natsFailure(error, `acknowledge document ${document.number}`, url);
      }
    },
  };
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
