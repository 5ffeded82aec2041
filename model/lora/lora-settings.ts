/** Low-rank adaptation (Hu et al. 2021): W·x becomes W·x + alpha / rank · B·A·x, and only A and B are trained. */
export interface LoraSettings {
  /** r, the rows of A and the columns of B. */
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: TargetModules;
}

/**
 * Which linear layers are adapted, as peft says it: names of modules, whole or their last part ("q_proj"); or
 * a regular expression for whole names ("model\.layers\.[0-3]\..*_proj"); or "all-linear", all but the head.
 */
export type TargetModules = string | readonly string[];
