import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { findTeachers, findTrainers } from '../../wire/discovery/find.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { listRuns, type RunOnNats, runOnNats } from '../../wire/nats/list-runs.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { trainerText } from './held-runs.ts';

const answerWithin = 10_000;

/**
 * A run as it may be removed.
 *
 * @param force whether it may be though its trainer is alive
 * @throws FuseMeshError not_found when it has no streams there, failed_precondition when its trainer is alive
 */
export async function removableRun(
  connection: NatsConnection,
  run: string,
  { force }: { readonly force: boolean },
): Promise<RunOnNats> {
  const held = await runOnNats(connection, run);
  if (held === undefined) {
    const others = (await listRuns(connection)).map((other) => other.run);
    throw new FuseMeshError(
      'not_found',
      `There is no run ${run} on ${connection.url}; it has ${others.join(', ') || 'none'}.`,
    );
  }
  const trainer = (await findTrainers(connection)).find((one) => one.run === run);
  if (trainer === undefined || force) return held;
  throw new FuseMeshError(
    'failed_precondition',
    `The trainer of run ${run} is alive (${trainerText(trainer)}, at ${trainer.address}): stop it first, or use --force.`,
  );
}

/**
 * Lets the teachers of a run leave it, and removes its streams with their consumers. Other runs are not touched.
 *
 * @param security of the run's services; left out, they are open
 * @returns a line for each teacher that could not be told; it finds out by itself
 */
export async function removeRun(
  connection: NatsConnection,
  run: string,
  security: RunConfig['security'] | undefined,
): Promise<string[]> {
  const teachers = (await findTeachers(connection)).filter(({ work }) => work.some((one) => one.run === run));
  const told = await Promise.all(
    teachers.map(async ({ teacher, address }) => {
      const client = createClient(TeacherService, address, security);
      try {
        await client.detachRun({ run }, { timeoutMs: answerWithin });
        return [];
      } catch (error) {
        return [`Teacher ${teacher} at ${address} could not be told: ${(error as Error).message}`];
      } finally {
        client.close();
      }
    }),
  );
  await openRunStreams(connection, run).remove();
  return told.flat();
}
