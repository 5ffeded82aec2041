import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { library } from '../../model/runtime/library.ts';
import { refusalOf } from '../../model/runtime/providers.ts';
import { sideBySide } from '../fusion/measure/side-by-side.ts';
import { cardOf, MemoryWatch, peakOperations } from './card.ts';
import { endOf, type Plan, parityJobs, runJobs, type SpeedJob, teachJobs, trainJobs } from './jobs.ts';
import { largeLlamas, smallLlamas, trainingOperations, type WrittenLlama, writeLlama } from './llamas.ts';
import { type Part, parts, type Row } from './row.ts';
import { type Job, runJob } from './run-job.ts';

/** What the proof has found. */
export interface Proof extends Plan {
  /** Undefined where the provider is none of NVIDIA's, or its driver is missing. */
  readonly card: string | undefined;
  readonly driver: string | undefined;
  readonly node: string;
  readonly onnxruntime: string;
  readonly seconds: number;
  readonly rows: readonly Row[];
}

/**
 * Does the parts one after the other.
 *
 * @param tell hears in a line what is done next
 * @throws FuseMeshError failed_precondition where the provider does not compute here at all
 */
export async function prove(
  plan: Plan,
  chosen: readonly Part[],
  tell: (line: string) => void,
): Promise<Proof> {
  const { provider, device } = plan.place;
  const { version } = library();
  const refusal = await refusalOf(provider);
  if (refusal !== undefined) throw new FuseMeshError('failed_precondition', refusal);
  const card = provider === 'cpu' ? undefined : await cardOf(device);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const rows: Row[] = [];
  const llamas: WrittenLlama[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-prove-gpu-'));
  try {
    for (const part of parts.filter((part) => chosen.includes(part))) {
      const end = endOf(part, plan) - skippedBefore(part);
      if ((part === 'train' || part === 'teach') && llamas.length === 0) {
        tell('writing random models');
        for (const llama of plan.quick ? smallLlamas : largeLlamas)
          llamas.push(await writeLlama(llama, directory));
      }
      const jobs = jobsOf(part);
      const next = async (job: Job | SpeedJob) => {
        const left = end - elapsed();
        if (left > 0) {
          tell(`${part}: ${job.name}`);
          rows.push(...(await measured(job, Math.min(job.seconds, left))));
        } else {
          const ok = job.mustWork ? { ok: false } : {};
          rows.push({ part, name: job.name, note: 'no time was left', ...ok });
        }
      };
      // What is timed has the machine for itself.
      await sideBySide(jobs, part === 'parity' ? jobs.length : 1, next);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return {
    ...plan,
    card: card?.name,
    driver: card?.driver,
    node: process.version,
    onnxruntime: version,
    seconds: elapsed(),
    rows,
  };

  function jobsOf(part: Part): readonly (Job | SpeedJob)[] {
    if (part === 'parity') return parityJobs(plan);
    if (part === 'train') return trainJobs(llamas, plan);
    return part === 'teach' ? teachJobs(llamas, plan) : runJobs(plan);
  }

  /** The time of parts that are not done does not count for those after them. */
  function skippedBefore(part: Part): number {
    let [before, skipped] = [0, 0];
    for (const each of parts.slice(0, parts.indexOf(part))) {
      if (!chosen.includes(each)) skipped += endOf(each, plan) - before;
      before = endOf(each, plan);
    }
    return skipped;
  }

  /** With what the card says of it. */
  async function measured(job: Job | SpeedJob, seconds: number): Promise<Row[]> {
    if (!card || !('llama' in job)) return runJob(job, seconds, directory);
    const watch = await MemoryWatch.start(device);
    const ofJob = await runJob(job, seconds, directory);
    const memory = watch.stop();
    const peak = peakOperations(card.name);
    return ofJob.map((row) => {
      const speed = row.figures?.['tokens/s'];
      if (typeof speed !== 'number') return row;
      const { 'tokens/s': _, ...others } = row.figures!;
      return {
        ...row,
        figures: {
          'tokens/s': speed,
          ...(peak && job.part === 'train'
            ? { 'MFU %': (100 * speed * trainingOperations(job.llama)) / peak }
            : {}),
          ...(memory === undefined ? {} : { 'device GiB': memory }),
          ...others,
        },
      };
    });
  }
}
