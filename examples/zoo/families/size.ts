/** Sizes of the zoo's models, the same for every family: about 1.1 million parameters. */
export const contextLength = 256;
export const hiddenSize = 128;
export const layers = 4;
export const heads = 4;
/** Standard deviation of the random weights. */
export const initializerRange = 0.02;
