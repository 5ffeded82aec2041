/** How large a model is, beside its vocabulary. */
export interface ModelSize {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
}

/** Of the zoo's models, the same for every family: about 1.1 million parameters. */
export const sizeOfZoo: ModelSize = { hiddenSize: 128, layers: 4, heads: 4 };
/** In tokens. */
export const contextLength = 256;
/** Standard deviation of the random weights. */
export const initializerRange = 0.02;
