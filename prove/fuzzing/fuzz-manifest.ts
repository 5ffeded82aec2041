import { create, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { CorpusManifestSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { runNames } from '../../wire/nats/names.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { mutate, type Random } from './mutate.ts';

const good = toBinary(
  CorpusManifestSchema,
  create(CorpusManifestSchema, {
    documents: 9n,
    textBytes: 90n,
    sha256: new Uint8Array(32),
    contextLength: 64,
  }),
);

/**
 * Reads mutated manifests, each as the first message of a run.
 *
 * @returns how many were refused
 * @throws Error where a manifest is taken that describes no corpus, or an error comes that is not ours
 */
export async function fuzzManifest(
  connection: NatsConnection,
  { messages, random }: { messages: number; random: Random },
): Promise<number> {
  const run = `fuzz-manifest-${process.pid}`;
  const streams = openRunStreams(connection, run);
  const { corpusSubject, documentsStream } = runNames(run);
  await streams.ensure({ maxDocuments: 10, maxDistributions: 10 });
  let refused = 0;
  for (let i = 0; i < messages; i++) {
    await connection.raw.jetstream().publish(corpusSubject, mutate(good, random, [good]));
    try {
      const manifest = await streams.readManifest();
      if (
        !manifest ||
        manifest.documents < 1n ||
        manifest.sha256.length !== 32 ||
        manifest.contextLength < 1
      ) {
        throw new Error('A manifest was taken that says nothing of a corpus.');
      }
    } catch (error) {
      if (!(error instanceof FuseMeshError) || error.code !== 'data_loss') throw error;
      refused++;
    }
    await connection.manager.streams.purge(documentsStream);
  }
  await streams.remove();
  return refused;
}
