import type { Execution } from '../../engine/engine-options.ts';
import type { WrittenLlama } from './llamas.ts';
import type { Place, Precision } from './settings.ts';

// What the processes of the proof are asked for, as JSON on their command lines.

export interface ParityRequest {
  readonly place: Place;
  readonly precision: Precision;
  /** AdamW steps. */
  readonly steps: number;
  /** No model is begun after this time. */
  readonly seconds: number;
}

/** To train a Llama, or to score with it, for so long after some turns that do not count. */
export interface SpeedRequest {
  readonly execution: Execution;
  readonly llama: WrittenLlama;
  readonly seconds: number;
}

/** The same of torch_rival.py. */
export interface RivalRequest {
  readonly task: 'train' | 'teach';
  readonly directory: string;
  /** Token ids of the documents. */
  readonly texts: readonly (readonly number[])[];
  readonly topK: number;
  readonly device: string;
  readonly precision: Precision;
  readonly compile: boolean;
  readonly seconds: number;
}

export interface RunRequest {
  readonly place: Place;
  /** Models of the zoo. */
  readonly teachers: readonly string[];
  /** Whether the target's frozen copy teaches too. */
  readonly frozenCopy: boolean;
  readonly bytesOfDomain: number;
}

/** Of a distribution. */
export const candidates = 10;
