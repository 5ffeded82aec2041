import { randomTexts, type WrittenLlama } from './llamas.ts';
import {
  candidates,
  type ParityRequest,
  type RivalRequest,
  type RunRequest,
  type SpeedRequest,
} from './requests.ts';
import type { Part } from './row.ts';
import type { Job } from './run-job.ts';
import type { Place, Precision } from './settings.ts';

/** How the proof is done. */
export interface Plan {
  readonly place: Place;
  /** Small shapes, few steps, in little time. */
  readonly quick: boolean;
}

/** A job that measures how fast a Llama is trained or scores. */
export interface SpeedJob extends Job {
  readonly llama: WrittenLlama;
}

/** When the jobs of a part must have ended, in seconds since the first part began. */
export const endOf = (part: Part, { quick }: Plan): number =>
  quick
    ? { parity: 60, train: 90, teach: 105, run: 220 }[part]
    : { parity: 90, train: 250, teach: 290, run: 360 }[part];

const worker = (name: string, request: object): Job['command'] => [
  process.execPath,
  '--import',
  'tsx',
  `prove/gpu/${name}-worker.ts`,
  JSON.stringify(request),
];

/** What products are computed in: on the processor and by WebGPU there is no bfloat16. */
const precisionsOf = ({ provider }: Place): readonly Precision[] =>
  provider === 'cuda' ? ['float32', 'bfloat16', 'float16'] : ['float32'];

export function parityJobs({ place, quick }: Plan): Job[] {
  const [steps, seconds] = quick ? [5, 40] : [20, 40];
  return precisionsOf(place).map((precision) => {
    const request: ParityRequest = { place, precision, steps, seconds };
    return {
      part: 'parity',
      name: precision,
      command: worker('parity', request),
      seconds: seconds + 15,
      mustWork: true,
    };
  });
}

const fastest = ({ provider }: Place): Precision => (provider === 'cuda' ? 'bfloat16' : 'float32');

export function trainJobs(llamas: readonly WrittenLlama[], { place, quick }: Plan): SpeedJob[] {
  const precision = fastest(place);
  return [
    ...llamas.map((llama) => ourSpeed('train', llama, { place, quick }, precision)),
    ...rivals('train', llamas, { place, quick }, precision),
  ];
}

export function teachJobs(llamas: readonly WrittenLlama[], { place, quick }: Plan): SpeedJob[] {
  // Teachers compute in float32.
  const precision = 'float32';
  return [
    ...llamas.map((llama) => ourSpeed('teach', llama, { place, quick }, precision)),
    ...rivals('teach', llamas, { place, quick }, precision),
  ];
}

function ourSpeed(
  part: 'train' | 'teach',
  llama: WrittenLlama,
  { place, quick }: Plan,
  precision: Precision,
): SpeedJob {
  const request: SpeedRequest = { place, precision, llama, seconds: quick ? 1 : 5 };
  return {
    part,
    llama,
    name: `${llama.name} ${precision}: FuseMesh`,
    command: worker(part, request),
    seconds: 60,
    mustWork: false,
  };
}

/** Eager for every model before any is compiled, which takes the longest. */
function rivals(
  part: 'train' | 'teach',
  llamas: readonly WrittenLlama[],
  { place, quick }: Plan,
  precision: Precision,
): SpeedJob[] {
  const device = place.provider === 'cpu' ? 'cpu' : `cuda:${place.device}`;
  const ways = quick || part === 'teach' ? [false] : [false, true];
  return ways.flatMap((compile) =>
    llamas.map((llama) => {
      const request: RivalRequest = {
        task: part,
        directory: llama.directory,
        texts: randomTexts(llama).map((text) => [...text]),
        topK: candidates,
        device,
        precision,
        compile,
        seconds: quick ? 1 : 5,
      };
      return {
        part,
        llama,
        name: `${llama.name} ${precision}: ${compile ? 'torch.compile' : 'PyTorch eager'}`,
        command: ['python3', 'prove/gpu/torch_rival.py', JSON.stringify(request)],
        seconds: 60,
        mustWork: false,
      };
    }),
  );
}

export function runJobs({ place, quick }: Plan): Job[] {
  // In software every process takes long to get its kernels ready.
  const teachers = quick ? ['orator'] : ['orator', 'novelist', 'engineer'];
  const bytesOfDomain = quick ? 700 : 4_000;
  const request: RunRequest = { place, teachers, frozenCopy: !quick, bytesOfDomain };
  return [{ part: 'run', name: 'fused run', command: worker('run', request), seconds: 120, mustWork: true }];
}
