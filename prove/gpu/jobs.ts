import type { Execution } from '../../engine/engine-options.ts';
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
    ? { parity: 75, train: 120, teach: 150, run: 360 }[part]
    : { parity: 100, train: 250, teach: 310, run: 360 }[part];

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

/** They are told how far numbers are apart, not how long it takes: they may run at the same time. */
export function parityJobs({ place, quick }: Plan): Job[] {
  const [steps, seconds] = quick ? [5, 40] : [20, 80];
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

export function trainJobs(llamas: readonly WrittenLlama[], plan: Plan): SpeedJob[] {
  const { place, quick } = plan;
  const precision = fastest(place);
  const ours = (llama: WrittenLlama, variant: string, changes: Partial<Execution> = {}) =>
    ourSpeed('train', llama, variant, { ...place, precision, ...changes }, quick);
  const rivals = (compile: boolean) => rivalsOf('train', llamas, plan, { precision, compile });
  const [smallest, largest] = [llamas[0], llamas[llamas.length - 1]];
  const variants = [
    ours(largest, 'FuseMesh, activations in bfloat16', { activations: 'bfloat16' }),
    ours(smallest, 'FuseMesh, state in the host', { offload: true }),
  ];
  return [
    ...llamas.map((llama) => ours(llama, 'FuseMesh')),
    ...rivals(false),
    ...(quick ? [] : rivals(true)),
    ...(precision === 'bfloat16' ? variants : []),
  ];
}

export function teachJobs(llamas: readonly WrittenLlama[], plan: Plan): SpeedJob[] {
  // Teachers compute in float32.
  const precision = 'float32';
  const { place, quick } = plan;
  return [
    ...llamas.map((llama) => ourSpeed('teach', llama, 'FuseMesh', { ...place, precision }, quick)),
    ...rivalsOf('teach', llamas, plan, { precision, compile: false }),
  ];
}

function ourSpeed(
  part: 'train' | 'teach',
  llama: WrittenLlama,
  variant: string,
  execution: Execution,
  quick: boolean,
): SpeedJob {
  const request: SpeedRequest = { execution, llama, seconds: quick ? 1 : 5 };
  return {
    part,
    llama,
    name: `${llama.name} ${execution.precision}: ${variant}`,
    command: worker(part, request),
    seconds: 60,
    mustWork: false,
  };
}

function rivalsOf(
  part: 'train' | 'teach',
  llamas: readonly WrittenLlama[],
  { place, quick }: Plan,
  { precision, compile }: { readonly precision: Precision; readonly compile: boolean },
): SpeedJob[] {
  const device = place.provider === 'cpu' ? 'cpu' : `cuda:${place.device}`;
  return llamas.map((llama) => {
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
  });
}

export function runJobs({ place, quick }: Plan): Job[] {
  // In software every process takes long to get its kernels ready.
  const teachers = quick ? ['orator'] : ['orator', 'novelist', 'engineer'];
  const bytesOfDomain = quick ? 700 : 4_000;
  const request: RunRequest = { place, teachers, frozenCopy: !quick, bytesOfDomain };
  return [{ part: 'run', name: 'fused run', command: worker('run', request), seconds: 300, mustWork: true }];
}
