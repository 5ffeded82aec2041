/** What a model is, for people and for planning. */
export interface ModelCard {
  /** model_type of config.json; "served" where a server has the model, and it is not known. */
  readonly family: string;
  /** Trainable values; 0 where nobody says how many there are. */
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
}
