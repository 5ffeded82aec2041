import type { TokenDistributions } from '../../numbers/token-distributions.ts';

/** What one model says about one text. */
export interface ScoredText extends TokenDistributions {
  /** Tokens that do not spell what stands at their place; nothing can be learnt at their ends. */
  readonly doubtful: number;
}
