import { natsFailure, refusalOf } from './failure.ts';
import { type RunContext, teacherConsumer } from './names.ts';

/** What the streams of a run are called in metrics and on the page. */
export const streamNames = ['documents', 'distributions', 'dead-letters'] as const;

/** One of a run's streams; a stream that does not exist yet counts as empty. */
export interface StreamState {
  readonly name: (typeof streamNames)[number];
  readonly messages: number;
  readonly bytes: number;
  /** The most messages it may hold: documents, or distributions of each teacher; 0 where the stream does not exist. */
  readonly mostMessages: number;
}

/** One teacher's place in the documents. */
export interface TeacherLag {
  readonly teacher: string;
  /** Documents published that none of its replicas has acknowledged. */
  readonly documents: number;
  /** Those of them that were delivered more than once. */
  readonly redelivered: number;
  /** Position in the documents' stream up to which all is acknowledged; 0 where that is not known. */
  readonly doneUpTo: number;
}

/** What a run's streams hold at one moment. */
export interface RunState {
  /** In the order of {@link streamNames}. */
  readonly streams: readonly StreamState[];
  /** In the order in which the teachers were asked for. */
  readonly lags: readonly TeacherLag[];
}

/** @throws FuseMeshError unavailable when NATS does not answer */
export async function lookAtStreams(context: RunContext, teachers: readonly string[]): Promise<RunState> {
  const { connection, names } = context;
  try {
    const [documents, distributions, deadLetters, ...consumers] = await Promise.all([
      streamInfo(context, names.documentsStream),
      streamInfo(context, names.distributionsStream),
      streamInfo(context, names.deadLettersStream, `${names.deadLettersPrefix}*`),
      ...teachers.map((teacher) => consumerInfo(context, teacher)),
    ]);
    // Without the parts of large ones, which are in their stream.
    const letters = Object.values(deadLetters?.state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
    const published = publishedDocuments(documents);
    return {
      streams: [
        // The manifest is there beside them.
        streamState('documents', documents, documents && documents.config.max_msgs_per_subject + 1),
        streamState('distributions', distributions, distributions?.config.max_msgs_per_subject),
        { ...streamState('dead-letters', deadLetters, deadLetters?.config.max_msgs), messages: letters },
      ],
      lags: teachers.map((teacher, i) => {
        const consumer = consumers[i];
        return {
          teacher,
          documents: consumer ? consumer.num_pending + consumer.num_ack_pending : published,
          redelivered: consumer?.num_redelivered ?? 0,
          doneUpTo: consumer?.ack_floor.stream_seq ?? 0,
        };
      }),
    };
  } catch (error) {
    throw natsFailure(error, `look at the streams of run ${names.run}`, connection.url);
  }
}

type StreamInfo = NonNullable<Awaited<ReturnType<typeof streamInfo>>>;

function streamState(name: StreamState['name'], info: StreamInfo | undefined, most = 0): StreamState {
  const { messages = 0, bytes = 0 } = info?.state ?? {};
  return { name, messages, bytes, mostMessages: most };
}

/** How many documents await a teacher that has not come yet: all messages but the manifest. */
function publishedDocuments(info: StreamInfo | undefined): number {
  if (info === undefined || info.state.messages === 0) return 0;
  return info.state.messages - 1;
}

const streamInfo = ({ connection }: RunContext, stream: string, subjects?: string) =>
  connection.manager.streams.info(stream, subjects ? { subjects_filter: subjects } : {}).catch(orMissing);

const consumerInfo = ({ connection, names }: RunContext, teacher: string) =>
  connection.manager.consumers.info(names.documentsStream, teacherConsumer(teacher)).catch(orMissing);

function orMissing(error: unknown): undefined {
  const refusal = refusalOf(error);
  if (refusal !== 'stream missing' && refusal !== 'consumer missing') throw error;
  return undefined;
}
