import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';

const tryAgainAfter = 500;

/**
 * The tokenizer of a teacher, from the teacher itself. Waits for one that is not up yet.
 *
 * @param address HOST:PORT of its gRPC service
 * @param security that of the run file
 * @param waitMs how long to wait, in milliseconds
 * @throws FuseMeshError unavailable when nothing answers in that time, cancelled when aborted
 */
export async function fetchTokenizer(
  address: string,
  security: RunConfig['security'],
  signal: AbortSignal,
  waitMs = 120_000,
): Promise<Tokenizer> {
  const client = createClient(TeacherService, address, security);
  const deadline = Date.now() + waitMs;
  try {
    for (;;) {
      try {
        const chunks: Uint8Array[] = [];
        for await (const { chunk } of client.getTokenizer({}, { signal })) chunks.push(chunk);
        return Tokenizer.fromJson(Buffer.concat(chunks), `the tokenizer of the teacher at ${address}`);
      } catch (error) {
        const isDown = error instanceof FuseMeshError && error.code === 'unavailable';
        if (!isDown || Date.now() >= deadline) throw error;
        await sleep(tryAgainAfter, undefined, { signal }).catch(() => {});
      }
    }
  } finally {
    client.close();
  }
}
