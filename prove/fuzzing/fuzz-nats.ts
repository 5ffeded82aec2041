import { create } from '@bufbuild/protobuf';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { distributionCheck } from '../../wire/codec/check-distribution.ts';
import { decodeTextDistribution } from '../../wire/codec/decode-text-distribution.ts';
import { distributionFromBytes, distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { documentFromBytes, documentToBytes } from '../../wire/codec/document-bytes.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { downloadTokenizer } from '../../wire/grpc/download-tokenizer.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { distributionsSubject, runNames } from '../../wire/nats/names.ts';
import { batchDocuments, type FuzzedMesh, teacherName, topK } from './fuzzed-mesh.ts';
import { mutate, type Random } from './mutate.ts';

const texts = [
  'Fellow citizens of the Senate.',
  'We are at peace – with all.',
  'Größe, 東京 and 1,204 £.',
  'In 1793 the Congress met again.',
];
const publishedAtOnce = 200;
/** Of every other distribution: the rest are in the version that has all candidates. */
const topP = 0.9;

/** How the readers must judge the messages, decided in this process by the same code. */
export interface Verdicts {
  readonly documents: number;
  /** Documents that are malformed. */
  readonly malformed: ReadonlySet<number>;
  /** Messages in the teacher's name that are no distributions of a document of the run. */
  readonly unusable: number;
}

/** How many documents a run of that many messages has. */
export const documentsFor = (messages: number): number =>
  batchDocuments * Math.max(1, Math.floor(messages / 2 / batchDocuments));

/**
 * Publishes the documents of a run, most of them mutated, and before each of them a mutated distribution in its
 * teacher's name.
 *
 * @throws Error where something is taken that changes when it is encoded again
 */
export async function fuzzNats(
  mesh: FuzzedMesh,
  connection: NatsConnection,
  { documents, random, onBatch }: { documents: number; random: Random; onBatch: () => void },
): Promise<Verdicts> {
  const names = runNames(mesh.run);
  const client = createClient(TeacherService, mesh.processes.teacher.address);
  const samples = await Promise.all(
    texts.map(async (text) => decodeTextDistribution((await client.score({ text, topK })).distribution!)),
  );
  const card = await client.getModelCard({});
  const { fingerprint, vocabularySize: tokens } = Tokenizer.fromJson(await downloadTokenizer(client));
  client.close();
  const candidates = card.vocabularySize;
  const check = distributionCheck({ teacher: teacherName, fingerprint, tokens, candidates, documents });

  const malformed = new Set<number>();
  let unusable = 0;
  const jetStream = connection.raw.jetstream();
  const others = samples.map((sample) => distributionToBytes(sample, candidates));
  for (let first = 0; first < documents; first += publishedAtOnce) {
    const until = Math.min(documents, first + publishedAtOnce);
    const stored: Promise<unknown>[] = [];
    for (let number = first; number < until; number++) {
      const i = number % texts.length;
      const distribution = mutate(
        distributionToBytes(
          { ...samples[i], document: number },
          candidates,
          number % 2 === 0 ? undefined : topP,
        ),
        random,
        others,
      );
      if (!isUsable(distribution, check, candidates)) unusable++;
      stored.push(jetStream.publish(distributionsSubject(names, teacherName), distribution));
      const whole = documentToBytes(
        create(DocumentSchema, { number: BigInt(number), text: texts[i], domain: 'fuzz' }),
      );
      const document = mutate(whole, random, others);
      if (!isDocument(document, number)) malformed.add(number);
      stored.push(jetStream.publish(names.documentsSubject, document));
    }
    await Promise.all(stored);
    onBatch();
  }
  return { documents, malformed, unusable };
}

function isDocument(bytes: Uint8Array, number: number): boolean {
  try {
    const document = documentFromBytes(bytes, number);
    const again = documentFromBytes(documentToBytes(document), number);
    if (again.text !== document.text || again.text === '') throw new RangeError(`document ${number} changes`);
    return true;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return false;
  }
}

function isUsable(
  bytes: Uint8Array,
  check: (distribution: TextDistribution) => void,
  candidates: number,
): boolean {
  let distribution: TextDistribution;
  try {
    distribution = distributionFromBytes(bytes);
    check(distribution);
  } catch {
    return false;
  }
  // What is taken can be sent again, and is taken then.
  check(distributionFromBytes(distributionToBytes(distribution, candidates)));
  return true;
}
