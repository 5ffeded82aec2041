import type { Half } from '../model/graph/tensor-type.ts';
import type { LoraSettings } from '../model/lora/lora-settings.ts';
import type { Placement } from '../model/runtime/placement.ts';
import type { AdamWOptions } from './adamw.ts';
import type { Divergences } from './loss/fused-loss.ts';
import type { PackingSizes } from './packing/micro-batches.ts';

/** In what activations are kept between blocks, and from the forward pass to the backward pass. */
export type KeptType = 'float32' | 'bfloat16';

/**
 * Where the model is computed and how precisely: the weights that are trained, sums and optimizer state are float32
 * always.
 */
export interface Execution extends Placement {
  /** Of matrix products. */
  readonly precision: 'float32' | Half;
  /** Left out, float32. */
  readonly activations?: KeptType | undefined;
  /**
   * Keeps weights, gradients and optimizer state in this process's memory; each block's weights go to the device, its
   * matrices in the precision of products.
   */
  readonly offload?: boolean | undefined;
}

export interface EngineOptions extends PackingSizes, AdamWOptions, Divergences {
  /** K, candidates of a fused distribution. */
  readonly candidates: number;
  /** Weight of the causal language modelling loss against the fusion loss, 0 to 1. */
  readonly lambda: number;
  /** Threads of one matrix product. */
  readonly threads: number;
  /**
   * Keeps only the input of each block and computes the rest again in the backward pass (gradient
   * checkpointing, Chen et al. 2016): less memory, a third more time.
   */
  readonly recompute: boolean;
  readonly execution: Execution;
  /** Trains low-rank adapters and leaves the weights as they are; without it, every weight is trained. */
  readonly lora?: LoraSettings | undefined;
}
