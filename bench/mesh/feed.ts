import { create } from '@bufbuild/protobuf';
import { CorpusManifestSchema, DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { openRunStreams, type StreamLimits } from '../../wire/nats/run-streams.ts';

/** Documents of a run; document d has text d modulo their number. */
interface Fed {
  readonly run: string;
  readonly texts: readonly string[];
  readonly documents: number;
}

/** Makes a run's streams and puts all its documents there. */
export async function feed(connection: NatsConnection, fed: Fed, limits: StreamLimits): Promise<void> {
  await announce(connection, fed, limits);
  await feedDocuments(connection, fed);
}

/** Makes a run's streams, whose documents are to come. */
export async function announce(
  connection: NatsConnection,
  { run, documents }: Fed,
  limits: StreamLimits,
): Promise<void> {
  const streams = openRunStreams(connection, run);
  await streams.ensure(limits);
  const manifest = { documents: BigInt(documents), sha256: new Uint8Array(32), contextLength: 512 };
  await streams.publishManifest(create(CorpusManifestSchema, manifest));
}

/** Puts the documents into the streams, each when there is room. */
export async function feedDocuments(
  connection: NatsConnection,
  { run, texts, documents }: Fed,
): Promise<void> {
  const streams = openRunStreams(connection, run);
  const { signal } = new AbortController();
  for (let number = 0; number < documents; number++) {
    const text = texts[number % texts.length];
    await streams.publishDocument(create(DocumentSchema, { number: BigInt(number), text }), { signal });
  }
}
