import type { Content } from '../../model/chat/conversation.ts';

/** To a process that has a source's model: what it is to score, and for how long. */
export interface Scoring {
  readonly contents: readonly Content[];
  readonly seconds: number;
  /** Whether the distributions are wanted. */
  readonly withDistributions: boolean;
}

export interface ScoredFor {
  /** Of the source, a replica alone. */
  readonly tokensPerSecond: number;
  readonly bytesPerToken: number;
  /** Of each document, as they go to NATS, in base64; none where they are not wanted. */
  readonly distributions: readonly string[];
}

/** To the process that has the target. */
export type Training =
  | {
      readonly contents: readonly Content[];
      /** By document, by source. */
      readonly distributions: readonly (readonly string[])[];
    }
  | { readonly seconds: number };

export interface TrainedFor {
  readonly tokens: number;
  /** Steps that were taken. */
  readonly steps: number;
  /** Forward and backward pass. */
  readonly computeSeconds: number;
  readonly optimizerSeconds: number;
  readonly fusionSeconds: number;
  /** A look at all held-out texts; 0 where there are none. */
  readonly evaluationSeconds: number;
  readonly snapshotSeconds: number;
}
