import { readConfig } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Accelerator } from './accelerators.ts';

/** What a target's training takes. */
export interface TrainerCosts {
  /** Forward and backward pass. */
  readonly secondsPerToken: number;
  /** The optimizer's update. */
  readonly secondsPerStep: number;
  /** Alignment and fusion, on a core of the trainer's machine, a token of the target. */
  readonly fusionSecondsPerToken: number;
  /** A look at all held-out texts. */
  readonly evaluationSeconds: number;
  /** Copying the state before a checkpoint is written. */
  readonly snapshotSeconds: number;
}

/** Size of a model, from its config.json. */
export interface ModelSize {
  readonly parameters: number;
  readonly vocabularySize: number;
  /** FLOP of a forward pass, a token of a text of so many tokens. */
  readonly forwardFlop: (tokens: number) => number;
}

/** @throws FuseMeshError not_found where the model is not on this machine */
export async function sizeOf(directory: string): Promise<ModelSize> {
  const { config, architecture } = await readConfig(directory);
  const { linearLayers, vocabularySize, hiddenSize, keyValueSizes, weights } = architecture;
  const active = activeExperts(config);
  let products = vocabularySize * hiddenSize;
  for (const [name, { inputSize, outputSize }] of linearLayers) {
    if (outputSize === vocabularySize) continue;
    products += inputSize * outputSize * (name.includes('.experts.') ? active : 1);
  }
  return {
    parameters: parameterCount(weights),
    vocabularySize,
    // Each weight of a product is multiplied and added once a token. In attention a token meets half of its text in the
    // mean, in scores and in values.
    forwardFlop: (tokens) => 2 * products + 2 * keyValueSizes.layers * tokens * hiddenSize,
  };
}

/** Share of the experts that compute a token. */
function activeExperts(config: object): number {
  const {
    num_experts_per_tok: active,
    num_local_experts: local,
    num_experts: all = local,
  } = config as Partial<Record<string, number>>;
  return active === undefined || all === undefined ? 1 : active / all;
}

/**
 * Candidates, of all sources together, that a core decodes, aligns and fuses in a second. Measured, k = 50 of three
 * sources: 6.3 µs a token of the target for alignment and fusion, and decoding beside it.
 */
const candidatesASecond = 15e6;
/** AdamW reads weight, gradient and both moments, and writes all but the gradient, in float32. */
const optimizerBytes = 28;
/** Of a machine's memory, where the optimizer's state stays there. */
const hostBandwidth = 50e9;
/** Between a GPU and its machine, by PCIe 4. */
const busBandwidth = 25e9;

/**
 * Seconds that a source takes for a token. The mesh computes teachers in float32; a server (vLLM) in 16 bits.
 *
 * @param tokens of its texts, in the mean
 * @param utilisation share of the peak that is reached
 */
export function scoringSeconds(
  size: ModelSize,
  { tokens, served, utilisation }: { tokens: number; served: boolean; utilisation: number },
  accelerator: Accelerator,
): number {
  const peak = served ? accelerator.half : accelerator.float32;
  return size.forwardFlop(tokens) / (peak * utilisation);
}

/**
 * What the training of a target takes on an accelerator: twice the forward pass again for the gradients of weights and
 * activations (6 FLOP a parameter and token), half of that for adapters, and one more forward pass with `recompute`.
 *
 * @param trained parameters
 * @param heldOutTokens of all held-out texts
 */
export function trainingCosts(
  { target, trainer, topK }: RunConfig,
  size: ModelSize,
  {
    tokens,
    trained,
    sources,
    heldOutTokens,
    utilisation,
  }: { tokens: number; trained: number; sources: number; heldOutTokens: number; utilisation: number },
  accelerator: Accelerator,
): TrainerCosts {
  const peak = trainer.precision === 'float32' ? accelerator.float32 : accelerator.half;
  const forward = size.forwardFlop(tokens) / (peak * utilisation);
  const passes = (target.lora ? 2 : 3) + (trainer.recompute ? 1 : 0);
  const isOnHost = trainer.offload === 'host';
  return {
    secondsPerToken: passes * forward,
    secondsPerStep: (optimizerBytes * trained) / (isOnHost ? hostBandwidth : accelerator.bandwidth),
    fusionSecondsPerToken: fusionSeconds(sources, topK),
    evaluationSeconds: heldOutTokens * forward,
    snapshotSeconds: isOnHost ? 0 : (12 * trained) / busBandwidth,
  };
}

/** The same of a trainer that is known to take so many tokens a second. */
export const costsAtSpeed = (
  { topK }: RunConfig,
  { sources, heldOutTokens }: { sources: number; heldOutTokens: number },
  tokensPerSecond: number,
): TrainerCosts => ({
  secondsPerToken: 1 / tokensPerSecond,
  secondsPerStep: 0,
  fusionSecondsPerToken: fusionSeconds(sources, topK),
  // A forward pass is a third of a step.
  evaluationSeconds: heldOutTokens / (3 * tokensPerSecond),
  snapshotSeconds: 0,
});

const fusionSeconds = (sources: number, topK: number): number => (sources * topK) / candidatesASecond;
