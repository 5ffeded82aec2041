import { expect, it } from 'vitest';
import { fuzzMesh } from './fuzz-mesh.ts';

// npm run prove -- fuzz sends fifty times as many.
it('a teacher and a trainer take 2,000 mutated messages, and the run comes to its end', {
  timeout: 400_000,
}, async () => {
  const figures = await fuzzMesh({ seed: 7, messages: 2_000 });
  expect(figures.documentsMalformed).toBeGreaterThan(100);
  expect(figures.documentsMalformed).toBeLessThan(figures.documents);
  expect(figures.distributionsUnusable).toBeGreaterThan(100);
  expect(figures.manifestsRefused).toBeGreaterThan(10);
  expect(figures.calls['message']).toBeGreaterThan(50);
  expect(figures.calls['3']).toBeGreaterThan(50);
});
