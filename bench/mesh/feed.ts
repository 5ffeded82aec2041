import { create } from '@bufbuild/protobuf';
import { CorpusManifestSchema, DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { openRunStreams, type StreamLimits } from '../../wire/nats/run-streams.ts';

/** Makes a run's streams and puts all its documents there; document d has text d modulo their number. */
export async function feed(
  connection: NatsConnection,
  { run, texts, documents }: { run: string; texts: readonly string[]; documents: number },
  limits: StreamLimits,
): Promise<void> {
  const streams = openRunStreams(connection, run);
  await streams.ensure(limits);
  const manifest = { documents: BigInt(documents), sha256: new Uint8Array(32), contextLength: 512 };
  await streams.publishManifest(create(CorpusManifestSchema, manifest));
  const { signal } = new AbortController();
  for (let number = 0; number < documents; number++) {
    const text = texts[number % texts.length];
    await streams.publishDocument(create(DocumentSchema, { number: BigInt(number), text }), { signal });
  }
}
