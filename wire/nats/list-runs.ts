import type { StreamInfo } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { NatsConnection } from './connection.ts';
import { documentAtPosition } from './document-numbering.ts';
import { natsFailure, refusalOf } from './failure.ts';
import { runNames, runOfDocumentsStream } from './names.ts';
import { readManifest } from './publish-documents.ts';

/** What a NATS server holds of a run. */
export interface RunOnNats {
  readonly run: string;
  /** Documents ever published. */
  readonly documentsPublished: number;
  /** Documents of the corpus; undefined until the feeder has counted them. */
  readonly documentsTotal: number | undefined;
  /** Documents that no checkpoint covers yet. */
  readonly documentsHeld: number;
  /** Distributions that no checkpoint covers yet, by teacher; teachers without any are left out. */
  readonly distributionsHeld: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** Size of all its streams. */
  readonly bytes: number;
  /** When its streams were made. */
  readonly created: Date;
  /** When the last message arrived; equal to `created` where none ever did. */
  readonly lastActivity: Date;
}

/**
 * The runs that have streams on a NATS server, by name.
 *
 * @throws FuseMeshError unavailable when NATS does not answer
 */
export async function listRuns(connection: NatsConnection): Promise<RunOnNats[]> {
  try {
    const runs: string[] = [];
    for await (const stream of connection.manager.streams.names()) {
      const run = runOfDocumentsStream(stream);
      if (run !== undefined) runs.push(run);
    }
    const found = await Promise.all(runs.sort().map((run) => runOnNats(connection, run)));
    return found.filter((run) => run !== undefined);
  } catch (error) {
    throw natsFailure(error, 'list the runs', connection.url);
  }
}

/** What NATS holds of a run; undefined where it has no streams. */
export async function runOnNats(connection: NatsConnection, run: string): Promise<RunOnNats | undefined> {
  const names = runNames(run);
  try {
    const [documents, distributions, deadLetters, parts, weights, stored] = await Promise.all([
      streamInfo(connection, names.documentsStream, names.documentsSubject),
      streamInfo(connection, names.distributionsStream, `${names.distributionsPrefix}*`),
      streamInfo(connection, names.deadLettersStream, `${names.deadLettersPrefix}*`),
      streamInfo(connection, names.partsStream),
      streamInfo(connection, names.weightsStream),
      readManifest({ connection, names }).catch(orUnreadable),
    ]);
    const streams = [documents, distributions, deadLetters, parts, weights].filter(
      (stream) => stream !== undefined,
    );
    if (streams.length === 0) return undefined;
    const created = streams.map((stream) => new Date(stream.created));
    const lastMessages = streams
      .filter(({ state }) => state.last_seq > 0)
      .map(({ state }) => new Date(state.last_ts));
    return {
      run,
      documentsPublished:
        stored && documents ? Math.max(0, documentAtPosition(documents.state.last_seq, stored) + 1) : 0,
      documentsTotal: stored && Number(stored.manifest.documents),
      documentsHeld: documents?.state.subjects?.[names.documentsSubject] ?? 0,
      distributionsHeld: Object.fromEntries(
        Object.entries(distributions?.state.subjects ?? {})
          .map(([subject, count]) => [subject.slice(names.distributionsPrefix.length), count] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
      deadLetters: Object.values(deadLetters?.state.subjects ?? {}).reduce((sum, count) => sum + count, 0),
      bytes: streams.reduce((sum, { state }) => sum + state.bytes, 0),
      created: earliest(created),
      lastActivity: lastMessages.length === 0 ? earliest(created) : latest(lastMessages),
    };
  } catch (error) {
    throw natsFailure(error, `look at the streams of run ${run}`, connection.url);
  }
}

/** A run whose manifest cannot be used is listed all the same. */
function orUnreadable(error: unknown): undefined {
  if (!(error instanceof FuseMeshError) || error.code !== 'data_loss') throw error;
  return undefined;
}

const earliest = (dates: readonly Date[]) => new Date(Math.min(...dates.map(Number)));
const latest = (dates: readonly Date[]) => new Date(Math.max(...dates.map(Number)));

/** @param subjects whose messages are counted apart */
async function streamInfo(
  { manager }: NatsConnection,
  stream: string,
  subjects?: string,
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(stream, subjects === undefined ? {} : { subjects_filter: subjects });
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return undefined;
    throw error;
  }
}
