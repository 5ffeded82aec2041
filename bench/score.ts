/** Speed and memory of a teacher's scoring against transformers with log_softmax and topk. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeRandomLlama } from './random-llama.ts';
import { against, type Figure, report } from './report.ts';
import { heldOutBatches, randomBatches } from './scoring/batches.ts';
import type { Request, Scored } from './scoring/request.ts';
import { spinningEnds, startSide } from './side.ts';

const threads = 2;
const candidates = 10;
const rounds = 4;
/** Nats by which the sides may differ: float32 sums in another order differ by 1e-4. */
const tolerance = 1e-2;

const root = join(import.meta.dirname, '..');
const smolLm2 = join(root, 'models', 'smollm2-135m-instruct');
const sizesOfSmolLm2 = {
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
};

/** The shortest time and the results of one side for each batch. */
class Best {
  peakBytes = 0;
  readonly #seconds = new Map<number, number>();
  readonly found = new Map<number, Scored>();

  add(batch: number, scored: Scored): void {
    this.peakBytes = Math.max(this.peakBytes, scored.peakBytes);
    this.#seconds.set(batch, Math.min(scored.seconds, this.#seconds.get(batch) ?? Number.POSITIVE_INFINITY));
    this.found.set(batch, scored);
  }

  get seconds(): number {
    return [...this.#seconds.values()].reduce((a, b) => a + b, 0);
  }
}

/** Measures both sides on a model; only ours where the rival is missing. */
async function compare(directory: string, batches: readonly (readonly (readonly number[])[])[]) {
  const parameters = [directory, String(threads)];
  const worker = join(import.meta.dirname, 'scoring', 'our-worker.ts');
  const us = await startSide<Request, Scored>(process.execPath, ['--import', 'tsx', worker, ...parameters]);
  if (!us) throw new Error('our side of the benchmark did not start');
  const rival = await startSide<Request, Scored>('python3', [
    join(root, 'bench', 'rivals', 'transformers_score.py'),
    ...parameters,
  ]);
  const ours = new Best();
  const theirs = new Best();
  // The sides take turns, so that a machine that changes its speed does not change the ratio. The shortest time of each
  // batch counts, as other work of the machine can only lengthen a time.
  for (let round = 0; round < rounds; round++) {
    for (const [number, texts] of batches.entries()) {
      const request = { texts, k: candidates };
      ours.add(number, await us.ask(request));
      await spinningEnds();
      if (!rival) continue;
      theirs.add(number, await rival.ask(request));
      await spinningEnds();
    }
  }
  await us.close();
  await rival?.close();
  return { ours, theirs: rival && theirs };
}

/** How far apart the two sides' results are. */
function agreement(ours: Best, theirs: Best): { difference: number; equalIds: number } {
  let difference = 0;
  let equal = 0;
  let all = 0;
  for (const [batch, mine] of ours.found) {
    const other = theirs.found.get(batch)!;
    for (const name of ['logProbabilities', 'labelLogProbabilities'] as const) {
      if (mine[name].length !== other[name].length) throw new Error(`the sides give not as many ${name}`);
      mine[name].forEach((value, i) => {
        difference = Math.max(difference, Math.abs(value - other[name][i]));
      });
    }
    all += mine.candidateIds.length;
    mine.candidateIds.forEach((id, i) => {
      if (id === other.candidateIds[i]) equal++;
    });
  }
  return { difference, equalIds: equal / all };
}

const real = existsSync(join(smolLm2, 'config.json'));
const directory = real ? smolLm2 : await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
try {
  if (!real) {
    console.error(
      'models/smollm2-135m-instruct is missing (npm run smollm2 makes it): random weights, random ids.',
    );
    await writeRandomLlama(directory, sizesOfSmolLm2);
  }
  const batches = real ? await heldOutBatches(directory) : randomBatches(sizesOfSmolLm2.vocab_size);
  const { ours, theirs } = await compare(directory, batches);

  const tokens = batches.flat().reduce((sum, { length }) => sum + length, 0);
  const figures: Figure[] = [
    {
      name: 'scoring',
      unit: 'tokens/s',
      ...against(tokens / ours.seconds, theirs && tokens / theirs.seconds),
    },
    { name: 'peak memory', unit: 'MB', ...against(ours.peakBytes / 1e6, theirs && theirs.peakBytes / 1e6) },
  ];
  if (theirs) {
    const { difference, equalIds } = agreement(ours, theirs);
    if (!(difference < tolerance))
      throw new Error(`the sides differ by ${difference} nats: nothing to compare`);
    figures.push(
      { name: 'largest difference of log-probabilities', value: difference, unit: 'nats' },
      { name: 'candidates that are the same', value: equalIds * 100, unit: '%' },
    );
  } else {
    console.error('The rival is missing: python3 with torch and transformers. These are our figures alone.');
  }
  report('score', figures);
} finally {
  if (!real) await rm(directory, { recursive: true, force: true });
}
