import { join } from 'node:path';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { type Side, startSide } from '../side.ts';
import type { Sizes, Taken, Teaching, Texts } from './request.ts';
import { teachers } from './sources.ts';

/** The nats-server of the benchmark. */
export interface BenchServer {
  readonly connection: NatsConnection;
  readonly pid: number;
  readonly url: string;
}

/** Starts a program of this folder. */
export async function startWorker<Request, Answer>(
  file: string,
  ...parameters: string[]
): Promise<Side<Request, Answer>> {
  const program = join(import.meta.dirname, file);
  const side = await startSide<Request, Answer>(process.execPath, [
    ...process.execArgv,
    program,
    ...parameters,
  ]);
  if (side === undefined) throw new Error(`${file} did not start`);
  return side;
}

/** A synthetic teacher's process. */
export type TeacherSide = Side<Texts | Teaching, Taken>;

/** Starts the teachers' processes, ready to publish distributions of these texts. */
export function startTeachers(texts: readonly string[], sizes: Sizes = {}): Promise<TeacherSide[]> {
  return Promise.all(
    teachers.map(async (name) => {
      const side: TeacherSide = await startWorker('teacher-worker.ts', name);
      await side.ask({ texts, ...sizes });
      return side;
    }),
  );
}
