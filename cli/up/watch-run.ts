import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type TeacherRunStatus, TeacherService } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import { type GetStatusResponse, TrainerService } from '../../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../mesh/grpc/client.ts';

const askAgainAfter = 500;

/** Calls `onStatus` with a teacher's status about every second while it is attached to the run. */
export async function watchTeacher(
  address: string,
  run: string,
  onStatus: (status: TeacherRunStatus) => void,
  signal: AbortSignal,
): Promise<void> {
  const client = createClient(TeacherService, address);
  try {
    await untilStopped(signal, async () => {
      for await (const { status } of client.watchRun({ run }, { signal })) if (status) onStatus(status);
    });
  } finally {
    client.close();
  }
}

/** Calls `onStatus` with the trainer's status twice a second. */
export async function watchTrainer(
  address: string,
  onStatus: (status: GetStatusResponse) => void,
  signal: AbortSignal,
): Promise<void> {
  const client = createClient(TrainerService, address);
  try {
    await untilStopped(signal, async () => onStatus(await client.getStatus({}, { signal })));
  } finally {
    client.close();
  }
}

/** A process that does not answer, or a teacher that is not attached yet, is asked again a little later. */
async function untilStopped(signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
    }
    await sleep(askAgainAfter, undefined, { signal }).catch(() => undefined);
  }
}
