/** Speed and memory of a training step against FuseLLM's way and a sparse one in transformers and PyTorch. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeRandomLlama } from './random-llama.ts';
import { against, type Figure, report } from './report.ts';
import { spinningEnds, startSide } from './side.ts';
import { randomBatch } from './training/random-batch.ts';
import type { Request, Trained } from './training/request.ts';

const threads = 2;
const [rows, length, candidates] = [8, 256, 10];
const rounds = 8;
/** Nats by which the sides' losses may differ, at every step. */
const tolerance = 1e-3;
const training = { lambda: 0.9, learningRate: 1e-4 };

const vocabularies = [32_000, 4096];
const sizes = {
  hidden_size: 512,
  intermediate_size: 1376,
  num_hidden_layers: 8,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: length,
};

const rival = join(import.meta.dirname, 'rivals', 'torch_train.py');
const worker = join(import.meta.dirname, 'training', 'our-worker.ts');
const sides = {
  ours: (directory: string) => [process.execPath, '--import', 'tsx', worker, directory, String(threads)],
  fusellm: (directory: string) => ['python3', rival, directory, String(threads), 'fusellm'],
  sparse: (directory: string) => ['python3', rival, directory, String(threads), 'sparse'],
};
type Name = keyof typeof sides;

/**
 * The steps of every side that is installed. The sides take turns, so that a machine that changes its speed does not
 * change the ratio.
 */
async function train(directory: string, request: Request): Promise<ReadonlyMap<Name, readonly Trained[]>> {
  const started = new Map<Name, NonNullable<Awaited<ReturnType<typeof startSide<Request, Trained>>>>>();
  for (const name of Object.keys(sides) as Name[]) {
    const [command, ...parameters] = sides[name](directory);
    const side = await startSide<Request, Trained>(command, parameters);
    if (side) started.set(name, side);
  }
  if (!started.has('ours')) throw new Error('our side of the benchmark did not start');
  const steps = new Map<Name, Trained[]>([...started.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, side] of started) {
      steps.get(name)!.push(await side.ask(request));
      await spinningEnds();
    }
  }
  for (const side of started.values()) await side.close();
  return steps;
}

/** @throws Error where the sides' losses differ, so that there is nothing to compare */
function refuseDifferentLosses(steps: ReadonlyMap<Name, readonly Trained[]>): void {
  const ours = steps.get('ours')!;
  for (const [name, theirs] of steps) {
    for (const [step, { loss }] of theirs.entries()) {
      if (!(Math.abs(loss - ours[step].loss) < tolerance))
        throw new Error(`loss of step ${step + 1}: ours ${ours[step].loss}, ${name} ${loss}`);
    }
  }
}

/** Tokens a second in the shortest step: other work of the machine can only lengthen a time. */
const speedOf = (steps: readonly Trained[]): number =>
  steps[0].tokens / Math.min(...steps.map(({ seconds }) => seconds));

const peakOf = (steps: readonly Trained[]): number =>
  Math.max(...steps.map(({ peakBytes }) => peakBytes)) / 1e6;

const figures: Figure[] = [];
for (const vocabularySize of vocabularies) {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  try {
    await writeRandomLlama(directory, { ...sizes, vocab_size: vocabularySize });
    const batch = randomBatch(rows, length, candidates, vocabularySize);
    const steps = await train(directory, { ...batch, ...training });
    refuseDifferentLosses(steps);
    const [ours, ...rivals] = [...steps];
    const name = `${vocabularySize} tokens`;
    if (rivals.length === 0) {
      console.error(
        'The rivals are missing: python3 with torch and transformers. These are our figures alone.',
      );
      figures.push(
        { name: `${name}: training`, value: speedOf(ours[1]), unit: 'tokens/s' },
        { name: `${name}: peak memory`, value: peakOf(ours[1]), unit: 'MB' },
      );
    }
    for (const [way, theirs] of rivals) {
      figures.push(
        {
          name: `${name}: training, against ${way}`,
          unit: 'tokens/s',
          ...against(speedOf(ours[1]), speedOf(theirs)),
        },
        {
          name: `${name}: peak memory, against ${way}`,
          unit: 'MB',
          ...against(peakOf(ours[1]), peakOf(theirs)),
        },
      );
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
report('train', figures);
