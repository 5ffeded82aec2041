import { expect, it } from 'vitest';
import { refuseWhatCannotFit } from './memory-plan.ts';

const estimate = { state: 16e9, activations: 2.5e9, temporaries: 4e8, program: 1.5e8, total: 19.05e9 };

it('refuses what cannot fit, with numbers and a way out', () => {
  expect(() => refuseWhatCannotFit(estimate, 19.05e9)).not.toThrow();
  expect(() => refuseWhatCannotFit(estimate, 8e9)).toThrow(
    /needs about 19\.1 GB of memory: 16\.0 GB for weights.*2\.50 GB for activations.*; 8\.00 GB are free: lower trainer\.tokensAtOnce/,
  );
});
