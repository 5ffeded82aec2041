import type { Experiment } from './experiment.ts';

const teachers = ['orator', 'novelist', 'engineer'] as const;
const sources = teachers;
const withCopy = [...teachers, 'target'];
const pairs = [
  ['orator', 'novelist'],
  ['orator', 'engineer'],
  ['novelist', 'engineer'],
] as const;

/** Training on the same text without any teacher, which everything is compared with. */
export const continued = 'continued training';
/** A run file that says nothing about fusion. */
export const byDefault = 'default';

/** One setting of fusion each. */
const ablations: readonly NonNullable<Experiment['fusion']>[] = [
  { combine: 'avgCE' },
  { sharpness: 0.2 },
  { sharpness: 1 },
  { vocabulary: 'exact' },
  { vocabulary: 'minED' },
  { align: 'dtw' },
  { truncated: 'renormalise' },
  { unaligned: 'nothing' },
];
/** Seeds of what is looked at beside the main table. */
const few = 3;

type Named = Omit<Experiment, 'group'>;
const inGroup = (group: Experiment['group'], experiments: readonly Named[]): Experiment[] =>
  experiments.map((experiment) => ({ ...experiment, group }));

/**
 * All experiments. Each of those outside the group `main` changes one thing of the default. Where that value is the
 * default's own, the experiment takes the default's result.
 */
export const experiments: readonly Experiment[] = [
  ...inGroup('main', [
    { name: 'before', sources, share: 0 },
    { name: continued, sources, lambda: 1 },
    // As published, including k and λ.
    { name: 'preset fusellm', sources: withCopy, fusion: { preset: 'fusellm' }, topK: 10, lambda: 0.9 },
    { name: byDefault, sources },
    ...teachers.map((teacher) => ({ name: `${teacher} alone`, sources: [teacher] })),
    ...pairs.map((pair) => ({ name: pair.join(' and '), sources: pair })),
    { name: 'combine minCE', sources, fusion: { combine: 'minCE' } },
  ]),
  ...inGroup('ablations', [
    ...ablations.map((fusion) => ({
      name: Object.entries(fusion).flat().join(' '),
      sources,
      fusion,
      seeds: few,
    })),
    { name: 'with the frozen copy', sources: withCopy, seeds: few },
  ]),
  ...inGroup('candidates', [
    ...[1, 10].map((topK) => ({ name: `k = ${topK}`, sources, topK, seeds: few })),
    ...[0.9, 0.95, 0.98].map((topP) => ({ name: `topP ${topP}, 8 bits`, sources, topP, seeds: few })),
    { name: 'k = 50, float16', sources, asRecorded: true, seeds: few },
  ]),
  ...inGroup('lambda', [
    ...[0.05, 0.3].map((lambda) => ({ name: `lambda = ${lambda}`, sources, lambda, seeds: few })),
    { name: 'orator alone, lambda = 0.3', sources: ['orator'], lambda: 0.3, seeds: few },
  ]),
  // As many steps as one pass over all documents takes.
  ...inGroup('sample efficiency', [
    ...[4, 2].map((passes) => ({
      name: `${byDefault}, ${100 / passes} % of the text`,
      sources,
      share: 1 / passes,
      passes,
    })),
    { name: `${continued}, 25 % of the text`, sources, lambda: 1, share: 0.25, passes: 4 },
  ]),
];
