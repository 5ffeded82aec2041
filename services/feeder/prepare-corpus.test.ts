import { appendFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { zooEncoder } from '../../test/support/zoo-encoder.ts';
import { type Preparation, prepareCorpus } from './prepare-corpus.ts';
import { readJournal, type StoredCorpus } from './stored-corpus.ts';

const log = createLog('test', { level: 'silent' });
const encoders = [await zooEncoder('orator')];
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
    prepareCorpus(config, encoders, {
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
    const stored = await prepareCorpus({ ...config, ...changed }, encoders, {
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
  const prepare = () => prepareCorpus(config, encoders, { directory, signal, log, onRead });
  const [one, other] = await Promise.all([prepare(), prepare()]);
  expect(reads).toBeLessThan(400);
  expect(textsOf(one)).toEqual(textsOf(other));
  for (const stored of [one, other]) stored.close();
});

it('keeps conversations as every model reads them, and cuts again where a template is another', async () => {
  const root = await temporaryDirectory();
  const messages = (i: number) => [
    { role: 'user', content: `Who is captain ${i}?` },
    { role: 'assistant', content: 'Ahab.', tool_calls: null, mood: 'grim' },
  ];
  const path = join(root, 'a.jsonl');
  const rows = [0, 1, 2].map((i) => JSON.stringify({ messages: messages(i) }));
  await writeFile(path, [...rows, JSON.stringify({ text: 'Call me Ishmael.' })].join('\n'));
  const config = { corpus: [{ domain: 'sea', path }], contextLength, seed: 3 };
  const directory = join(root, 'stored');
  let reads = 0;
  const prepare = async (template: string) => {
    reads = 0;
    const onRead = () => {
      reads++;
    };
    const readers = [await zooEncoder('orator', template)];
    return prepareCorpus(config, readers, { directory, signal, log, onRead });
  };
  const template = '{% for message in messages %}{{ message.content }}</s>{% endfor %}';
  const stored = await prepare(template);
  const documents = Array.from({ length: stored.count }, (_, d) => stored.at(d));
  stored.close();
  expect(
    documents.map(({ schemaVersion, text, turns }) => `${schemaVersion} ${text} ${turns.length}`).sort(),
  ).toEqual(['0 Call me Ishmael. 0', '2  2', '2  2', '2  2']);
  const [conversation] = documents.filter(({ turns }) => turns.length > 0);
  expect(conversation.turns).toMatchObject([
    { role: 'user', learnt: false, extras: '' },
    { role: 'assistant', content: 'Ahab.', learnt: true, extras: '{"mood":"grim"}' },
  ]);
  const cases: [string, boolean][] = [
    [template, false],
    [`${template}!`, true],
  ];
  for (const [other, cutsAgain] of cases) {
    (await prepare(other)).close();
    expect(reads > 0).toBe(cutsAgain);
  }
});

it('says why a corpus makes no document', async () => {
  const root = await temporaryDirectory();
  const path = join(root, 'a.jsonl');
  await writeFile(path, JSON.stringify({ messages: [{ role: 'user', content: 'Who?' }] }));
  const config = { corpus: [{ domain: 'sea', path }], contextLength, seed: 3 };
  await expect(
    prepareCorpus(config, encoders, { directory: join(root, 'stored'), signal, log }),
  ).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/no text.* 1 nothing learnt; the first is .*a\.jsonl:1/),
  });
});
