/**
 * A teacher and a trainer under mutated messages at every entrance: no crash, nothing wrong taken, flat memory.
 *
 * --messages N    so many (100000)
 * --seed N        repeats a run, which prints its seed
 */
import { parseArgs } from 'node:util';
import { fuzzMesh } from './fuzzing/fuzz-mesh.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    messages: { type: 'string', default: '100000' },
  },
});
console.log(`Seed ${values.seed}; --seed ${values.seed} repeats it.`);
const figures = await fuzzMesh({ seed: Number(values.seed), messages: Number(values.messages) });
const { messages, calls, memory, seconds } = figures;
console.log(`${messages} messages in ${seconds.toFixed(0)} s`);
console.log(`gRPC calls by status: ${JSON.stringify(calls)}`);
console.log(`manifests refused: ${figures.manifestsRefused}`);
console.log(
  `documents: ${figures.documents}, ${figures.documentsMalformed} of them malformed, ${figures.documentsPassedOver} passed over`,
);
console.log(
  `distributions that cannot be used: ${figures.distributionsUnusable}; dead letters: ${figures.deadLetters}`,
);
for (const [name, { early, late, most }] of Object.entries(memory)) {
  console.log(
    `${name}: ${early.toFixed(0)} MiB early, ${late.toFixed(0)} MiB late, ${most.toFixed(0)} MiB at most`,
  );
}
