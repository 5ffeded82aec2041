import { appendFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { createLog } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type Preparation, prepareCorpus } from './prepare-corpus.ts';
import { readJournal, type StoredCorpus } from './stored-corpus.ts';

const zoo = resolve(import.meta.dirname, '../../examples/zoo');
const log = createLog('test', { level: 'silent' });
const tokenizers = [await Tokenizer.fromFile(join(zoo, 'orator/tokenizer.json'))];
const { signal } = new AbortController();
const contextLength = 64;

async function corpus() {
  const root = await temporaryDirectory();
  const row = (i: number) => JSON.stringify({ text: `row ${i} of the sea. `.repeat(1 + (i % 40)) });
  const lines = Array.from({ length: 300 }, (_, i) => row(i));
  lines[100] = '{"text": null}';
  await writeFile(join(root, 'a.jsonl'), lines.join('\n'));
  await writeFile(join(root, 'b.txt'), 'NAME\n\n    cut - remove sections\n\n'.repeat(200));
  const entries = [
    { domain: 'sea', path: join(root, 'a.jsonl'), invalid: 'skip' as const },
    { domain: 'manual', path: join(root, 'b.txt') },
  ];
  return { root, config: { corpus: entries, contextLength, seed: 3 } };
}

const textsOf = (stored: StoredCorpus) => Array.from({ length: stored.count }, (_, d) => stored.at(d).text);

it('goes on behind what was saved when it is killed, to the same documents', async () => {
  const { root, config } = await corpus();
  const prepare = (name: string, preparation: Partial<Preparation> = {}) =>
    prepareCorpus(config, tokenizers, {
      directory: join(root, name),
      signal,
      log,
      saveEvery: 4_000,
      ...preparation,
    });
  const whole = await prepare('whole');
  const text = textsOf(whole).join('');
  expect([/row 99 /, /row 100 /, /cut - remove/].map((part) => part.test(text))).toEqual([true, false, true]);

  const stop = new AbortController();
  let reads = 0;
  const onRead = () => {
    if (++reads === 150) stop.abort();
  };
  await expect(prepare('killed', { signal: stop.signal, onRead })).rejects.toMatchObject({
    code: 'cancelled',
  });
  const directory = join(root, 'killed');
  const rowsSaved = (await readJournal(directory))?.position?.row.rows ?? 0;
  expect(rowsSaved).toBeGreaterThan(100);
  // A process that is killed may have written more than it has saved.
  for (const name of ['pieces', 'places', 'digests']) await appendFile(join(directory, name), 'more');

  reads = 0;
  const resumed = await prepare('killed', {
    onRead: () => {
      reads++;
    },
  });
  expect(reads).toBe(300 - rowsSaved + 3);
  expect(textsOf(resumed)).toEqual(textsOf(whole));
  expect(resumed.manifest).toEqual(whole.manifest);
  expect((await readJournal(directory))?.skipped).toEqual({ null: 1 });
  for (const stored of [whole, resumed]) stored.close();
});

it('cuts nothing again, unless a file, the seed or the context is another', async () => {
  const { root, config } = await corpus();
  const directory = join(root, 'stored');
  let reads = 0;
  const prepare = async (changed = {}) => {
    reads = 0;
    const onRead = () => {
      reads++;
    };
    const stored = await prepareCorpus({ ...config, ...changed }, tokenizers, {
      directory,
      signal,
      log,
      onRead,
    });
    stored.close();
    return Buffer.from(stored.manifest.sha256).toString('hex');
  };
  const first = await prepare();
  expect(reads).toBeGreaterThan(0);
  expect([await prepare(), reads]).toEqual([first, 0]);
  expect((await readdir(directory)).sort()).toEqual(['journal.json', 'order', 'pieces']);
  expect(await prepare({ seed: 4 })).not.toBe(first);
  await utimes(join(root, 'b.txt'), 1, 1);
  expect(await prepare()).toBe(first);
  expect(reads).toBeGreaterThan(0);
});

it('lets one feeder cut while another waits for it', async () => {
  const { root, config } = await corpus();
  const directory = join(root, 'stored');
  let reads = 0;
  const onRead = () => {
    reads++;
  };
  const prepare = () => prepareCorpus(config, tokenizers, { directory, signal, log, onRead });
  const [one, other] = await Promise.all([prepare(), prepare()]);
  expect(reads).toBeLessThan(400);
  expect(textsOf(one)).toEqual(textsOf(other));
  for (const stored of [one, other]) stored.close();
});
