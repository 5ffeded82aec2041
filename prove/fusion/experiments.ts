import type { Experiment } from './experiment.ts';

const teachers = ['orator', 'novelist', 'engineer'] as const;
/** The target's frozen copy. */
const copy = 'target';
const sources = [...teachers, copy];
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
  { vocabulary: 'exact' },
  { vocabulary: 'minED' },
  { vocabulary: 'prefix' },
  { align: 'boundary' },
  { align: 'dtw' },
  { combine: 'minCE' },
  { combine: 'minCE-token' },
  { combine: 'avgCE' },
  { truncated: 'renormalise' },
  { truncated: 'tail' },
  { unaligned: 'text' },
  { unaligned: 'nothing' },
];

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
    { name: 'preset fusellm', sources, fusion: { preset: 'fusellm' }, topK: 10, lambda: 0.9 },
    { name: byDefault, sources },
    ...teachers.map((teacher) => ({ name: `${teacher} alone`, sources: [teacher] })),
  ]),
  ...inGroup('ablations', [
    ...ablations.map((fusion) => ({ name: Object.entries(fusion).flat().join(' '), sources, fusion })),
    { name: 'no frozen copy', sources: teachers },
  ]),
  ...inGroup(
    'sources',
    pairs.map((pair) => ({ name: pair.join(' and '), sources: [...pair, copy] })),
  ),
  ...inGroup(
    'candidates',
    [1, 5, 10, 50].map((topK) => ({ name: `k = ${topK}`, sources, topK })),
  ),
  ...inGroup(
    'lambda',
    [0.1, 0.3, 0.5, 0.7, 0.9].map((lambda) => ({ name: `lambda = ${lambda}`, sources, lambda })),
  ),
  ...inGroup(
    'sample efficiency',
    [0.25, 0.5, 0.75].map((share) => ({ name: `default, ${100 * share} % of the tokens`, sources, share })),
  ),
];
