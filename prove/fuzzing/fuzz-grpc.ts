import { create, type DescMethod, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { contentEnd } from '../../model/chat/content-layout.ts';
import { contentOf } from '../../model/chat/conversation.ts';
import { unfitFor } from '../../wire/codec/check-distribution.ts';
import { decodeTextDistribution } from '../../wire/codec/decode-text-distribution.ts';
import { wrongContent } from '../../wire/codec/document-bytes.ts';
import {
  AttachRunRequestSchema,
  type ScoreRequest,
  ScoreRequestSchema,
  ScoreResponseSchema,
  TeacherService,
} from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { methodPath } from '../../wire/grpc/service-definition.ts';
import type { FuzzedMesh, FuzzedProcess } from './fuzzed-mesh.ts';
import { framed, GrpcWire, type WireAnswer } from './grpc-wire.ts';
import { mutate, type Random } from './mutate.ts';

interface Entrance {
  readonly process: FuzzedProcess;
  readonly path: string;
  /** Undefined for services that are not ours. */
  readonly method: DescMethod | undefined;
  /** A valid request. */
  readonly request: Uint8Array;
  /** How often it is called, relative to the others. */
  readonly share: number;
}

const together = 16;
/** Share of calls whose frame lies about its message. */
const wrongFrames = 0.1;
const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
const otherRun = 'fuzz-other';

const requests: Readonly<Record<string, Record<string, unknown>>> = {
  Score: { text: 'Fellow citizens of the Senate and of the House.', topK: 4 },
  Generate: { prompt: 'We the', maxTokens: 2, temperature: 0.5, topP: 0.9, stop: ['xyz'], seed: 7 },
  AttachRun: { run: otherRun, teacher: 'orator', topK: 3 },
  DetachRun: { run: otherRun },
  WatchRun: { run: otherRun },
  GetHistory: { afterStep: 3n },
};
/** Checkpoint writes the whole model to the disk. */
const shares: Readonly<Record<string, number>> = { Checkpoint: 0.02, Generate: 0.3 };

function entrances({ processes }: FuzzedMesh): Entrance[] {
  const ofService = (process: FuzzedProcess, service: DescService): Entrance[] => [
    ...service.methods.map((method) => ({
      process,
      method,
      path: methodPath(service, method.name),
      request: toBinary(method.input, create(method.input, requests[method.name] ?? {})),
      share: shares[method.name] ?? 1,
    })),
    ...['/grpc.health.v1.Health/Check', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'].map(
      (path) => ({
        process,
        path,
        method: undefined,
        share: 0.5,
        request: Uint8Array.of(10, 0),
      }),
    ),
  ];
  return [...ofService(processes.teacher, TeacherService), ...ofService(processes.trainer, TrainerService)];
}

/** Number of calls by gRPC status, or "message" where a message came. */
export type CallCounts = Record<string, number>;

/**
 * Calls every method of teacher and trainer with mutated requests.
 *
 * @param forgetRun removes the streams of a run to which a call has attached the teacher
 * @throws Error at the first hang, crash or wrong acceptance
 */
export async function fuzzGrpc(
  mesh: FuzzedMesh,
  { calls, random, forgetRun }: { calls: number; random: Random; forgetRun: (run: string) => Promise<void> },
): Promise<CallCounts> {
  const all = entrances(mesh);
  const others = all.map(({ request }) => request);
  const shareOfAll = all.reduce((sum, { share }) => sum + share, 0);
  const wires = new Map(
    Object.values(mesh.processes).map((process) => [process, new GrpcWire(process.address)]),
  );
  const counts: CallCounts = {};
  let left = calls;
  const worker = async () => {
    while (left-- > 0) {
      const entrance = drawOne(all, random() * shareOfAll);
      const bytes = mutate(entrance.request, random, others);
      const lies = random() < wrongFrames;
      const frame = lies ? mutate(framed(bytes), random, others) : framed(bytes);
      const answer = await wires.get(entrance.process)!.call(entrance.path, frame, {
        mayWait: entrance.method?.methodKind !== 'unary',
      });
      const outcome = answer.message ? 'message' : String(answer.status ?? 'none');
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      entrance.process.assertAlive();
      if (answer.message && !lies) judge(entrance, bytes, answer);
      if (answer.message && entrance.path.endsWith('/AttachRun'))
        await detach(wires.get(entrance.process)!, frame);
    }
  };
  const detach = async (wire: GrpcWire, frame: Uint8Array) => {
    // The run's name is the first field of both.
    await wire.call(methodPath(TeacherService, 'DetachRun'), frame);
    const { run } = fromBinary(AttachRunRequestSchema, frame.subarray(5));
    if (namePattern.test(run) && run !== mesh.run) await forgetRun(run);
  };
  await Promise.all(Array.from({ length: together }, worker));
  for (const wire of wires.values()) wire.close();
  return counts;
}

function drawOne(all: readonly Entrance[], drawn: number): Entrance {
  let sum = 0;
  for (const entrance of all) {
    sum += entrance.share;
    if (drawn < sum) return entrance;
  }
  return all[0];
}

/** A request that was answered must have kept all limits, and so must the answer. */
function judge({ path, method }: Entrance, bytes: Uint8Array, { message }: WireAnswer): void {
  const wrong = (what: string): never => {
    throw new Error(`${path} answered a request of which ${what}: ${Buffer.from(bytes).toString('hex')}`);
  };
  if (method === undefined) return;
  const request = fromBinary(method.input, bytes);
  const again = toBinary(method.input, fromBinary(method.input, toBinary(method.input, request)));
  if (Buffer.compare(again, toBinary(method.input, request)) !== 0) wrong('another came back');
  if (method === TeacherService.method.attachRun) {
    const { run, teacher, topK } = fromBinary(AttachRunRequestSchema, bytes);
    if (!namePattern.test(run) || !namePattern.test(teacher) || topK < 1) wrong('a field is out of bounds');
  }
  if (method === TeacherService.method.score)
    judgeScore(fromBinary(ScoreRequestSchema, bytes), message!, wrong);
}

function judgeScore(
  { topK, ...content }: ScoreRequest,
  message: Uint8Array,
  wrong: (what: string) => never,
): void {
  const { distribution } = fromBinary(ScoreResponseSchema, message);
  const decoded = decodeTextDistribution(distribution!);
  if (wrongContent(content) !== undefined || decoded.topK !== topK) wrong('a field is out of bounds');
  const unfit = unfitFor(decoded, contentEnd(contentOf(content)));
  if (unfit !== undefined) wrong(`the answer does not fit: ${unfit}`);
}
