import type { EngineOptions, Execution } from '../../engine/engine-options.ts';

export const providers = ['cuda', 'webgpu', 'cpu'] as const;
export type Provider = (typeof providers)[number];

/** On what the proof computes. */
export interface Place {
  readonly provider: Provider;
  /** Which of several GPUs. */
  readonly device: number;
}

export type Precision = Execution['precision'];

/** Where the engine computes, and how precisely. */
export const executionOf = ({ provider }: Place, precision: Precision): EngineOptions['execution'] => ({
  provider: provider as Execution['provider'],
  precision,
});

/** The processor in float32, which the tests compare with PyTorch: what all else is compared with. */
export const reference: Place = { provider: 'cpu', device: 0 };

/** Settings of a run file whose teachers and trainer compute there. */
export const placeInRunFile = ({ provider }: Place): string[] =>
  provider === 'cpu' ? [] : [`trainer.execution=${provider}`];
