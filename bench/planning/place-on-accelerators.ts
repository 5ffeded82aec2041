import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type RunSource, sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { bytesOfToken } from '../../wire/codec/bytes-of-token.ts';
import { accelerators, type Devices } from './accelerators.ts';
import type { Host } from './hosts.ts';
import { type ByName, givenFor, shareDevices } from './placement.ts';
import type { PlacedRun } from './planned-mesh.ts';
import { meanOf, type SampledCorpus } from './sample-corpus.ts';
import { costsAtSpeed, type ModelSize, scoringSeconds, trainingCosts } from './speeds.ts';

/** What a plan is made for; speeds, in tokens a second of one device, win over accelerators. */
export interface Machines {
  readonly teachers: ByName<Devices>;
  readonly teacherSpeed: ByName<number> | undefined;
  readonly trainer: Devices;
  readonly trainerSpeed: number | undefined;
  /** Share of an accelerator's peak that is reached. */
  readonly utilisation: number;
}

/** Sizes of a run's models. */
export interface RunSizes {
  readonly target: ModelSize;
  /** Parameters that are trained. */
  readonly trained: number;
  /** In the order of the run file; undefined of a model that is not on this machine. */
  readonly sources: readonly (ModelSize | undefined)[];
}

/**
 * Places the parts of a run: the trainer on a device of its own with a core for fusion, the sources on the devices for
 * teachers.
 *
 * @param heldOutTokens of all held-out texts
 * @throws FuseMeshError invalid_argument where a speed is neither given nor follows from model and accelerator
 */
export function placeOnAccelerators(
  config: RunConfig,
  { target, trained, sources: sizes }: RunSizes,
  { corpus, heldOutTokens }: { readonly corpus: SampledCorpus; readonly heldOutTokens: number },
  { teachers, teacherSpeed, trainer, trainerSpeed, utilisation }: Machines,
): PlacedRun {
  const sources = sourcesOf(config);
  if (trainer.count !== 1) {
    throw new FuseMeshError(
      'invalid_argument',
      'A run has one trainer on one device: give --trainer one accelerator.',
    );
  }
  const secondsOf = (source: RunSource, s: number): number => {
    const speed = teacherSpeed && givenFor(teacherSpeed, source.name);
    if (speed !== undefined) return 1 / speed;
    const { kind } = givenFor(teachers, source.name);
    const size = sizes[s];
    if (kind === undefined || size === undefined) {
      const what = kind === undefined ? 'no accelerator is named for it' : 'its model is not on this machine';
      throw new FuseMeshError(
        'invalid_argument',
        `How fast is ${source.name}? ${what}: give --teacher-speed.`,
      );
    }
    const served = source.served !== undefined;
    const tokens = meanOf(corpus.sourceTokens[s]);
    return scoringSeconds(size, { tokens, served, utilisation }, accelerators[kind]);
  };
  const seconds = sources.map(secondsOf);

  const hosts: Host[] = [
    { name: 'trainer', cores: 1, efficiency: 1 },
    { name: "trainer's processor", cores: 1, efficiency: 1 },
  ];
  const first = hosts.length;
  const places =
    'all' in teachers
      ? shareDevices(
          seconds.map((each, s) => each * meanOf(corpus.sourceTokens[s])),
          teachers.all.count,
        )
      : ownDevices(sources.map(({ name }) => givenFor(teachers, name).count));
  const devices = Math.max(0, ...places.flat().map((device) => device + 1));
  for (let device = 0; device < devices; device++) {
    hosts.push({ name: `teachers' device ${device + 1}`, cores: 1, efficiency: 1 });
  }

  const { kind } = trainer;
  if (trainerSpeed === undefined && kind === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      'How fast is the trainer? Give --trainer A100 or --trainer-speed.',
    );
  }
  const sizesOfRun = { heldOutTokens, sources: sources.length };
  const costs =
    trainerSpeed === undefined
      ? trainingCosts(
          config,
          target,
          { ...sizesOfRun, tokens: meanOf(corpus.targetTokens), trained, utilisation },
          accelerators[kind!],
        )
      : costsAtSpeed(config, sizesOfRun, trainerSpeed);
  return {
    hosts,
    sources: sources.map((_, s) => ({
      replicas: places[s].map((device) => first + device),
      threads: 1,
      secondsPerToken: seconds[s],
      bytesPerToken: bytesOfToken(config.topK, (sizes[s] ?? target).vocabularySize),
    })),
    trainer: { ...costs, host: 0, fusionHost: 1, threads: 1 },
  };
}

function ownDevices(counts: readonly number[]): number[][] {
  let next = 0;
  return counts.map((count) => Array.from({ length: count }, () => next++));
}
