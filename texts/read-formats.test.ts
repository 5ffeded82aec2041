import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Content } from '../model/chat/conversation.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { readFileTexts, type SkippedRow } from './read-texts.ts';
import { beginning, type RowPosition } from './row.ts';

const golden = join(import.meta.dirname, '../test/golden-parquet');
const texts: string[] = JSON.parse(await readFile(join(golden, 'texts.json'), 'utf8'));
const zstdFrames = join(golden, 'frames.jsonl.zst');

async function read(file: string, entry = {}, from: RowPosition = beginning) {
  const rows: { content: Content; after: RowPosition }[] = [];
  const skipped: SkippedRow[] = [];
  for await (const row of readFileTexts(file, entry, { from, onSkipped: (row) => skipped.push(row) }))
    rows.push(row);
  return { texts: rows.map(({ content }) => content), rows, skipped };
}

const lines = (all: readonly string[]) => all.map((text) => JSON.stringify({ text })).join('\n');
const array = (all: readonly string[]) =>
  ` ${JSON.stringify(
    all.map((text) => ({ n: [{}], text })),
    null,
    1,
  )}\n`;

async function written(): Promise<string[]> {
  const directory = await temporaryDirectory();
  const files: Record<string, string | Uint8Array> = {
    'a.jsonl': lines(texts),
    'b.ndjson.gz': Buffer.concat([
      gzipSync(`${lines(texts.slice(0, 3))}\n`),
      gzipSync(lines(texts.slice(3))),
    ]),
    'c.json': `\ufeff${array(texts)}`,
    'd.json.gz': gzipSync(array(texts)),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return Object.keys(files).map((name) => join(directory, name));
}

const parquets = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'version-2', 'plain'].map((name) =>
  join(golden, `${name}.parquet`),
);

it('reads the same texts from every format, and goes on behind any row', async () => {
  for (const file of [...(await written()), zstdFrames, ...parquets]) {
    const whole = await read(file);
    expect(whole.texts, file).toEqual(texts);
    for (const [i, { after }] of whole.rows.entries()) {
      expect((await read(file, {}, after)).texts, `${file} behind ${i}`).toEqual(texts.slice(i + 1));
    }
  }
});

it('refuses rows that are no texts by file and row, or leaves them out and tells which', async () => {
  const directory = await temporaryDirectory();
  const jsonl = join(directory, 'rows.jsonl');
  const rows = [
    '{"text": "fine"}',
    '{"text": null}',
    '{"text": ""}',
    '{"text": "caf\u00e9"}',
    '{"text": "last"}',
  ];
  await writeFile(
    jsonl,
    Buffer.from([...rows, '{"text": "\\ud83d"}', '{"tex', '{}', '[]'].join('\n'), 'latin1'),
  );
  const parquet = join(golden, 'invalid.parquet');
  await expect(read(jsonl)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/rows\.jsonl:2 is null: .*invalid: skip/),
  });
  await expect(read(parquet)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/invalid\.parquet, row 2 is null/),
  });
  const ofParquet = await read(parquet, { invalid: 'skip' });
  expect(ofParquet.texts).toEqual(['fine', 'last']);
  expect(ofParquet.skipped.map(({ problem }) => problem)).toEqual(['null', 'empty', 'not UTF-8']);
  const ofLines = await read(jsonl, { invalid: 'skip' });
  expect(ofLines.texts).toEqual(['fine', 'last']);
  expect(ofLines.skipped.map(({ place, problem }) => `${place.slice(jsonl.length)} ${problem}`)).toEqual([
    ':2 null',
    ':3 empty',
    ':4 not UTF-8',
    ':6 half a character',
    ':7 not JSON',
    ':8 no such column',
    ':9 no object',
  ]);
});

it('lists the columns where the wanted one is not there, also where rows are skipped', async () => {
  const directory = await temporaryDirectory();
  const jsonl = join(directory, 'rows.jsonl');
  await writeFile(jsonl, '{"content": "a", "id": 1}\n{"content": "b", "id": 2}\n');
  expect((await read(jsonl, { column: 'content' })).texts).toEqual(['a', 'b']);
  for (const invalid of ['refuse', 'skip']) {
    await expect(read(jsonl, { invalid })).rejects.toMatchObject({
      message: expect.stringMatching(
        /rows\.jsonl:1 has no "text", "messages", .*; it has "content", "id": set column/,
      ),
    });
  }
  await expect(read(parquets[0], { column: 'body', invalid: 'skip' })).rejects.toMatchObject({
    message: expect.stringMatching(/no column "body"; its columns of texts or messages: text\./),
  });
  await expect(read(parquets[0], { column: 'tags' })).rejects.toMatchObject({
    message: expect.stringMatching(/no texts or messages in its column "tags"/),
  });
});

it('says which file is broken', async () => {
  const directory = await temporaryDirectory();
  const file = (name: string) => join(directory, name);
  const refused = (name: string, message: RegExp) =>
    expect(read(file(name)), name).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
    });
  await writeFile(file('cut.jsonl.gz'), gzipSync(lines(texts)).subarray(0, -20));
  await refused('cut.jsonl.gz', /cut\.jsonl\.gz cannot be decompressed/);
  await writeFile(file('cut.jsonl.zst'), (await readFile(zstdFrames)).subarray(0, -20));
  await refused('cut.jsonl.zst', /cut\.jsonl\.zst cannot be decompressed/);
  await writeFile(file('cut.parquet'), await readFile(parquets[1]));
  await truncate(file('cut.parquet'), 300);
  await refused('cut.parquet', /cut\.parquet cannot be read as parquet/);
  await writeFile(file('cut.json'), array(texts).slice(0, -4));
  await refused('cut.json', /ends before its array does/);
  await writeFile(file('object.json'), '{"data": []}');
  await refused('object.json', /is no array/);
  await writeFile(file('bad.json'), '[{"text": "a"}, {text: "b"}]');
  await refused('bad.json', /broken at element 2/);
  await writeFile(file('two.json'), '[{"text": "a"}] []');
  await refused('two.json', /goes on behind its array/);
});

it('reads messages from parquet as from JSON', async () => {
  const {
    texts: contents,
    skipped,
    rows,
  } = await read(join(golden, 'messages.parquet'), { invalid: 'skip' });
  const turn = (role: string, content: string, extras = '') => ({
    role,
    content,
    learnt: role === 'assistant',
    extras,
  });
  const call = { type: 'function', function: { name: 'weather', arguments: { city: 'Rīga' } } };
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  expect(contents).toEqual([
    { turns: [turn('user', 'naïve 東京 😀'), turn('assistant', 'Yes.')], tools: '' },
    {
      turns: [
        turn('user', 'Rain?'),
        turn('assistant', '', JSON.stringify({ tool_calls: [call] })),
        turn('tool', '8 °C', '{"tool_call_id":7}'),
        turn('assistant', ''),
      ],
      tools: expect.toSatisfy((written: string) => isDeepStrictEqual(JSON.parse(written), tools)),
    },
    { turns: [turn('user', 'Again?'), turn('assistant', 'Yes.')], tools: '' },
  ]);
  expect(skipped.map(({ place, problem }) => `${place.split(', ')[1]} ${problem}`)).toEqual([
    'row 3 null',
    'row 4 empty',
  ]);
  const rest = await read(join(golden, 'messages.parquet'), { invalid: 'skip' }, rows[1].after);
  expect(rest.texts).toEqual(contents.slice(2));
  await expect(read(join(golden, 'messages.parquet'))).rejects.toMatchObject({
    message: expect.stringMatching(/messages\.parquet, row 3 is null in "messages"/),
  });
  const completed = await read(join(golden, 'prompt.parquet'));
  expect(completed.texts[1]).toEqual({
    turns: [turn('user', 'Who is 1?'), turn('assistant', 'I, 1.')],
    tools: '',
  });
  await expect(read(join(golden, 'prompt.parquet'), { column: 'label' })).rejects.toMatchObject({
    message: expect.stringMatching(/no texts or messages in its column "label"; .*: prompt, completion\./),
  });
});

it('names the message that is wrong', async () => {
  const file = join(await temporaryDirectory(), 'rows.jsonl');
  await writeFile(file, '{"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}');
  await expect(read(file)).rejects.toMatchObject({
    message: expect.stringMatching(/rows\.jsonl:1 has no role in its "messages\[1\]": give it "user"/),
  });
  const settings = '{"messages": [{"role": "user", "content": "a"}], "chat_template_kwargs": {"a": 1}}';
  await writeFile(file, settings);
  await expect(read(file)).rejects.toMatchObject({
    message: expect.stringMatching(/rows\.jsonl:1 has chat_template_kwargs, which are not taken/),
  });
});
