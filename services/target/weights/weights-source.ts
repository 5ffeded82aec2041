import type { LoraSettings } from '../../../model/lora/lora-settings.ts';

/** A safetensors file of what is trained, float32. */
export interface TrainedFile {
  readonly path: string;
  /** What its tensors are adapters of; undefined where they are the model's weights. */
  readonly adapter: LoraSettings | undefined;
}

/** Weights that may be served. */
export interface OfferedWeights {
  /** Steps of the training after which they are. */
  readonly step: number;
  /** Tells them from other weights of the same step. */
  readonly id: string;
  /**
   * @param directory for files that it has to write
   * @throws FuseMeshError not_found when they were superseded and removed, data_loss when they are damaged
   */
  fetch(directory: string, signal: AbortSignal): Promise<TrainedFile>;
}

/** Where weights come from. */
export interface WeightsSource {
  /**
   * The newest there now, undefined where there are none; then newer ones, those that were superseded while the caller
   * was busy left out. Ends when aborted.
   */
  follow(signal: AbortSignal): AsyncIterable<OfferedWeights | undefined>;
}
