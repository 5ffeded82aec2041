import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { createLog } from '../../process/log/log.ts';
import { createRandom } from '../../test/support/random.ts';
import { newestCheckpoint } from '../../trainer/checkpoint/read-checkpoint.ts';
import { CorpusManifestSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openDeadLetterBox } from '../../wire/nats/dead-letter-box.ts';
import { runNames } from '../../wire/nats/names.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { type CallCounts, fuzzGrpc } from './fuzz-grpc.ts';
import { fuzzManifest } from './fuzz-manifest.ts';
import { documentsFor, fuzzNats } from './fuzz-nats.ts';
import { contextLength, type FuzzedMesh, MemoryWatch, startFuzzedMesh, until } from './fuzzed-mesh.ts';

/** The most, in MiB, that memory may grow. */
const mostGrowth = 160;

export interface FuzzFigures {
  readonly messages: number;
  /** Calls by their outcome. */
  readonly calls: CallCounts;
  readonly manifestsRefused: number;
  readonly documents: number;
  readonly documentsMalformed: number;
  readonly documentsPassedOver: number;
  readonly distributionsUnusable: number;
  readonly deadLetters: number;
  /** In MiB: early, late and at most, of each process. */
  readonly memory: Readonly<Record<string, ReturnType<MemoryWatch['stop']>>>;
  readonly seconds: number;
}

/**
 * A teacher and a trainer under mutated messages at every entrance, to the end of the run.
 *
 * @throws Error with what went wrong, at the first crash, hang or wrong acceptance
 */
export async function fuzzMesh({ seed, messages }: { seed: number; messages: number }): Promise<FuzzFigures> {
  const began = performance.now();
  const mesh = await startFuzzedMesh();
  const connection = await connectNats(mesh.natsUrl, 'fuzz');
  const random = createRandom(seed);
  try {
    const streams = openRunStreams(connection, mesh.run);
    const manifests = Math.floor(0.02 * messages);
    const documents = documentsFor(0.5 * messages);
    const calls = messages - 2 * documents - manifests;
    await until('the trainer makes the streams', async () => {
      for (const process of Object.values(mesh.processes)) process.assertAlive();
      return connection.manager.streams.info(runNames(mesh.run).deadLettersStream).then(
        () => true,
        () => false,
      );
    });
    const sha256 = new Uint8Array(32).fill(seed);
    const manifest = { documents: BigInt(documents), textBytes: 1n, sha256, contextLength };
    await streams.publishManifest(create(CorpusManifestSchema, manifest));
    await until('the teacher is attached', async () => (await sourceOf(mesh)).attached);

    const watches = Object.entries(mesh.processes).map(
      ([name, process]) => [name, new MemoryWatch(process)] as const,
    );
    const forgetRun = (run: string) => openRunStreams(connection, run).remove();
    const counts = await fuzzGrpc(mesh, { calls, random, forgetRun });
    await resume(mesh);
    const manifestsRefused = await fuzzManifest(connection, { messages: manifests, random });
    const onBatch = () => mesh.processes.teacher.assertAlive();
    const verdicts = await fuzzNats(mesh, connection, { documents, random, onBatch });
    const { code, stderr } = await mesh.processes.trainer.finished;
    const memory = Object.fromEntries(watches.map(([name, watch]) => [name, watch.stop()]));
    mesh.processes.teacher.assertAlive();
    const teacher = await mesh.processes.teacher.stop();
    for (const [name, ended] of Object.entries({ trainer: { code, stderr }, teacher })) {
      // Their logs hold only errors, and an error is unexpected.
      if (ended.code === 0 && ended.stderr === '') continue;
      throw new Error(`The ${name} ended with ${ended.code}: ${ended.stderr.slice(-2_000)}`);
    }

    const log = createLog('fuzz', { level: 'silent' });
    const end = await newestCheckpoint(join(mesh.output, 'checkpoints'), log);
    const letters = await openDeadLetterBox(connection, mesh.run).list(new AbortController().signal);
    const figures: FuzzFigures = {
      messages,
      calls: counts,
      manifestsRefused,
      documents,
      memory,
      documentsMalformed: verdicts.malformed.size,
      documentsPassedOver: end?.state.documentsPassedOver ?? 0,
      distributionsUnusable: verdicts.unusable,
      deadLetters: (await connection.manager.streams.info(runNames(mesh.run).deadLettersStream)).state
        .last_seq,
      seconds: (performance.now() - began) / 1000,
    };
    const positions = letters.filter(({ source }) => source === 'feeder').map(({ position }) => position);
    assertFigures(figures, { taken: end?.state.documents, malformed: verdicts.malformed, positions });
    return figures;
  } finally {
    await connection.close();
    await mesh.remove();
  }
}

function assertFigures(
  figures: FuzzFigures,
  told: { taken: number | undefined; malformed: ReadonlySet<number>; positions: readonly number[] },
): void {
  const { documents, documentsMalformed, documentsPassedOver, distributionsUnusable, deadLetters, memory } =
    figures;
  const assert = (is: boolean, what: string) => {
    if (!is) throw new Error(`${what}: ${JSON.stringify(figures)}`);
  };
  assert(told.taken === documents, `The training took ${told.taken} documents`);
  assert(documentsPassedOver >= documentsMalformed, 'A malformed document was trained on');
  assert(deadLetters >= documentsMalformed + distributionsUnusable, 'Dead letters are missing');
  // The stream drops its oldest letters; from the oldest that is left on, no malformed document may be missing.
  const first = Math.min(...told.positions);
  const found = new Set(told.positions);
  for (const number of told.malformed) {
    assert(number + 2 < first || found.has(number + 2), `Document ${number} is not among the dead letters`);
  }
  for (const [name, { early, late }] of Object.entries(memory)) {
    assert(late - early < mostGrowth, `The memory of the ${name} has grown`);
  }
}

async function sourceOf({ processes }: FuzzedMesh): Promise<{ attached: boolean }> {
  processes.trainer.assertAlive();
  const client = createClient(TrainerService, processes.trainer.address);
  try {
    const { sources } = await client.getStatus({});
    return { attached: sources[0]?.attached ?? false };
  } finally {
    client.close();
  }
}

/** Some of the calls have paused the training. */
async function resume({ processes }: FuzzedMesh): Promise<void> {
  const client = createClient(TrainerService, processes.trainer.address);
  await client.resume({});
  client.close();
}
