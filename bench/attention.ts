/** Speed and memory of attention in parts against all of its scores at once, for teachers and for training. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measured, Setting } from './attention/setting.ts';
import { type LlamaSizes, largerSizes, writeRandomLlama, zooSizes } from './random-llama.ts';
import { against, type Figure, report } from './report.ts';
import { spinningEnds, startSide } from './side.ts';

const models: readonly { readonly name: string; readonly sizes: LlamaSizes }[] = [
  {
    name: '1.1 M',
    sizes: zooSizes(4096),
  },
  {
    name: '29 M',
    sizes: largerSizes(4096),
  },
];
// The trainer computes attention as a whole up to 512 tokens: the figures at 256 say why.
const batches = [
  { rows: 8, length: 256, rounds: 12 },
  { rows: 1, length: 4096, rounds: 3 },
];
const worker = join(import.meta.dirname, 'attention', 'worker.ts');

/** The shortest time and the peak memory of both forms, which take turns in processes of their own. */
async function compare(setting: Omit<Setting, 'form'>, rounds: number) {
  const sides = await Promise.all(
    (['parts', 'whole'] as const).map(async (form) => {
      const parameters = ['--import', 'tsx', worker, JSON.stringify({ ...setting, form })];
      const side = await startSide<null, Measured>(process.execPath, parameters);
      if (!side) throw new Error(`the side "${form}" of the benchmark did not start`);
      return { side, seconds: Number.POSITIVE_INFINITY, peakBytes: 0 };
    }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const measured of sides) {
      const { seconds, peakBytes } = await measured.side.ask(null);
      measured.seconds = Math.min(measured.seconds, seconds);
      measured.peakBytes = Math.max(measured.peakBytes, peakBytes);
      await spinningEnds();
    }
  }
  await Promise.all(sides.map(({ side }) => side.close()));
  return sides;
}

const figures: Figure[] = [];
for (const { name, sizes } of models) {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  try {
    await writeRandomLlama(directory, sizes);
    for (const work of ['scoring', 'training of a block'] as const) {
      for (const { rows, length, rounds } of batches) {
        const setting = { work, directory, vocabularySize: sizes.vocab_size, rows, length };
        const [parts, whole] = await compare(setting, rounds);
        const what = `${name}, ${work}, ${length} tokens`;
        const tokens = rows * length;
        figures.push(
          { name: what, unit: 'tokens/s', ...against(tokens / parts.seconds, tokens / whole.seconds) },
          {
            name: `${what}: peak memory`,
            unit: 'MB',
            ...against(parts.peakBytes / 1e6, whole.peakBytes / 1e6),
          },
        );
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
report('attention', figures);
