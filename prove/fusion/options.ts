import { parseArgs } from 'node:util';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Experiment } from './experiment.ts';

/** What the command is asked for. */
export interface Options {
  readonly seeds: readonly number[];
  /** Name of the study. */
  readonly study: string;
  /** Discard the results so far. */
  readonly fresh: boolean;
  /** Write the study's page with its pictures. */
  readonly write: boolean;
  /** The experiments that are asked for, with --learning-rate where it is given. */
  choose(all: readonly Experiment[]): Experiment[];
}

/** @throws FuseMeshError invalid_argument */
export function parseOptions(parameters: readonly string[]): Options {
  const { values } = parse(parameters);
  const quick = values.quick ?? false;
  const seeds = quick ? 1 : positive('--seeds', values.seeds);
  if (!Number.isInteger(seeds)) throw refuse(`--seeds ${seeds}: give a whole number.`);
  const rate = values['learning-rate'];
  const learningRate = rate === undefined ? undefined : positive('--learning-rate', rate);
  const only = pattern(values.only);
  const write = values.write ?? false;
  if (write && (quick || values.only !== ''))
    throw refuse('--write needs all experiments: leave --quick and --only out.');
  return {
    seeds: Array.from({ length: seeds }, (_, i) => i),
    study: values.study,
    fresh: values.fresh ?? false,
    write,
    choose(all) {
      const chosen = all.filter(({ name, group }) => only.test(name) && (!quick || group === 'main'));
      if (chosen.length === 0) throw refuse(`--only ${values.only} fits no experiment.`);
      return chosen.map((each) => (learningRate === undefined ? each : { ...each, learningRate }));
    },
  };
}

const refuse = (problem: string) => new FuseMeshError('invalid_argument', problem);

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        seeds: { type: 'string', default: '5' },
        quick: { type: 'boolean' },
        only: { type: 'string', default: '' },
        study: { type: 'string', default: 'demo' },
        fresh: { type: 'boolean' },
        write: { type: 'boolean' },
        'learning-rate': { type: 'string' },
      },
    });
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', (cause as Error).message, { cause });
  }
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `--only ${source} is no regular expression.`, { cause });
  }
}

function positive(option: string, value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw refuse(`${option} ${value}: give a number above 0.`);
}
