import type { ServerResponse } from 'node:http';

/** OpenAI's field for what a model was run with: here, the training step of its weights. */
export const fingerprintOf = (step: number): string => `step-${step}`;

/**
 * The same for several answers: each is of one step, but new weights may have come between two that did not begin at
 * once ("step-3+4").
 */
export const fingerprintOfAll = (steps: Iterable<number>): string =>
  `step-${[...new Set(steps)].sort((a, b) => a - b).join('+')}`;

/** Says in an answer's head which weights write it. */
export const tellStep = (response: ServerResponse, fingerprint: string): ServerResponse =>
  response.setHeader('fusemesh-weights-step', fingerprint.replace('step-', ''));
