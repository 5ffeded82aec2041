import { findModelFiles } from '../../model/model-files.ts';
import { openScoredModel, type ScoredModel } from '../../model/scoring/open-scored-model.ts';
import { ServedTokenizer } from './served-tokenizer.ts';

/** What a model says of a prompt of n tokens: its whole vocabulary of V tokens behind each of them. */
export interface PromptRows {
  /** [n] */
  readonly ids: Int32Array;
  /** V. */
  readonly vocabularySize: number;
  /** [n × V] row i is of the token after token i: ids by falling probability. */
  readonly order: Int32Array;
  /** [n × V] natural log-probabilities of those. */
  readonly logProbabilities: Float32Array;
}

/** The model that a server of the tests serves: one of ours, scored by what scores it in a teacher. */
export class ServedModel {
  readonly tokenizer: ServedTokenizer;
  /** As its config.json says. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly #model: ScoredModel;
  /** A graph takes one prompt at a time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(tokenizer: ServedTokenizer, model: ScoredModel) {
    this.tokenizer = tokenizer;
    this.contextLength = model.card.contextLength;
    this.vocabularySize = model.card.vocabularySize;
    this.#model = model;
  }

  /** @param directory a Hugging Face directory */
  static async open(directory: string): Promise<ServedModel> {
    const tokenizer = await ServedTokenizer.read(directory);
    return new ServedModel(tokenizer, await openScoredModel(await findModelFiles(directory), 1));
  }

  rows(ids: Int32Array): Promise<PromptRows> {
    const next = this.#last.then(async () => {
      const { vocabularySize } = this.#model.card;
      const { candidateIds, logProbabilities } = await this.#model.score([ids], vocabularySize);
      return { ids, vocabularySize, order: candidateIds.slice(), logProbabilities: logProbabilities.slice() };
    });
    this.#last = next.catch(() => {});
    return next;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#model.close();
  }
}
