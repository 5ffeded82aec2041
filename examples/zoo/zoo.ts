import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ModelSize } from './families/size.ts';
import type { Domain } from './layout.ts';

/** One of the example models. */
export interface ZooModel {
  readonly name: string;
  /** model_type of its config.json. */
  readonly family: 'llama' | 'mpt' | 'gpt_neox';
  readonly tokenizer: 'byte-level-bpe' | 'llama-bpe' | 'unigram';
  readonly vocabularySize: number;
  /** Left out, as the others. */
  readonly size?: ModelSize | undefined;
  /** Tokens that begin and end a text; null where the tokenizer has none. */
  readonly beginToken: number | null;
  readonly endToken: number;
  /** Weight of each domain's corpus when the tokenizer is learnt. */
  readonly tokenizerMix: Readonly<Record<Domain, number>>;
  /** Share of each domain in the rows that the model is trained on. */
  readonly trainingMix: Readonly<Record<Domain, number>>;
  readonly steps: number;
  readonly seed: number;
}

/** Three teachers, each of one domain, one family and one kind of tokenizer, and a target that knows little. */
export const zoo: readonly ZooModel[] = [
  {
    name: 'orator',
    family: 'llama',
    tokenizer: 'byte-level-bpe',
    vocabularySize: 3000,
    beginToken: 2999,
    endToken: 2999,
    tokenizerMix: { speeches: 2, fiction: 1, manuals: 1 },
    trainingMix: { speeches: 0.9, fiction: 0.05, manuals: 0.05 },
    steps: 1100,
    seed: 1,
  },
  {
    name: 'novelist',
    family: 'mpt',
    tokenizer: 'llama-bpe',
    vocabularySize: 3000,
    beginToken: 1,
    endToken: 2,
    tokenizerMix: { speeches: 1, fiction: 2, manuals: 1 },
    trainingMix: { speeches: 0.05, fiction: 0.9, manuals: 0.05 },
    steps: 1100,
    seed: 2,
  },
  {
    name: 'engineer',
    family: 'gpt_neox',
    tokenizer: 'unigram',
    vocabularySize: 2500,
    beginToken: null,
    endToken: 1,
    tokenizerMix: { speeches: 1, fiction: 1, manuals: 2 },
    trainingMix: { speeches: 0.1, fiction: 0.1, manuals: 0.8 },
    steps: 800,
    seed: 3,
  },
  {
    name: 'target',
    family: 'llama',
    tokenizer: 'byte-level-bpe',
    vocabularySize: 3000,
    beginToken: 2999,
    endToken: 2999,
    tokenizerMix: { speeches: 1, fiction: 1, manuals: 1 },
    trainingMix: { speeches: 1 / 3, fiction: 1 / 3, manuals: 1 / 3 },
    steps: 200,
    seed: 4,
  },
];

/**
 * The models of these names; all of them where none is named.
 *
 * @throws FuseMeshError not_found when there is no such model
 */
export function chooseModels(names: readonly string[]): readonly ZooModel[] {
  for (const name of names) {
    if (zoo.some((model) => model.name === name)) continue;
    const known = zoo.map((model) => model.name).join(', ');
    throw new FuseMeshError('not_found', `The zoo has no model ${name}: there are ${known}.`);
  }
  return names.length === 0 ? zoo : zoo.filter((model) => names.includes(model.name));
}
