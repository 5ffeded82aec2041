/** What a model is, for people and for planning. */
export interface ModelCard {
  /** model_type of config.json. */
  readonly family: string;
  /** Trainable values. */
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
}
