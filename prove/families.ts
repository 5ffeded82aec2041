/**
 * Every family against transformers on fresh random weights: logits, gradients, AdamW, generation. Needs Python.
 *
 * --seed N    repeats a run, which prints its seed
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runOracle, runToTheEnd } from './oracle.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
});
const golden = await mkdtemp(join(tmpdir(), 'fusemesh-prove-families-'));
try {
  console.log(`Seed ${values.seed}; --seed ${values.seed} repeats it.`);
  await runOracle('families.py', ['--seed', values.seed, '--output', golden]);
  const rooms = ['model/families', 'model/export', 'model/generation', 'engine/training-engine'];
  await runToTheEnd(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...rooms], {
    FUSEMESH_GOLDEN: golden,
  });
} finally {
  await rm(golden, { recursive: true });
}
