import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';

const root = join(import.meta.dirname, '..', '..');
const zoo = join(root, 'examples', 'zoo');
const orator = join(zoo, 'orator');
const questions = join(root, 'test', 'golden-eval', 'questions.jsonl');

/** Some held-out paragraphs of a domain as a file. */
async function excerpt(directory: string, domain: string): Promise<string> {
  const path = join(directory, `${domain}.txt`);
  await writeFile(path, (await readFile(join(zoo, 'held-out', `${domain}.txt`), 'utf8')).slice(0, 3000));
  return path;
}

describe('fusemesh eval', { timeout: 60_000 }, () => {
  test('prints losses of texts and accuracy on questions, as tables and as JSON', async () => {
    const directory = await temporaryDirectory();
    const texts = [await excerpt(directory, 'speeches'), await excerpt(directory, 'manuals')];
    const parameters = ['eval', orator, ...texts, '--choices', questions];
    const [tables, json] = [await runCommand(parameters), await runCommand([...parameters, '--json'])];
    expect(json).toMatchObject({ code: 0, stderr: '' });

    const evaluation = JSON.parse(json.stdout);
    expect(evaluation).toMatchObject({ model: orator, contextLength: 256 });
    const [speeches, manuals] = evaluation.texts;
    // It was trained on speeches.
    expect(manuals.bitsPerByte).toBeGreaterThan(speeches.bitsPerByte);
    for (const { bitsPerByte, natsPerToken, perplexity, tokens, bytes } of evaluation.texts) {
      expect((bitsPerByte * bytes) / tokens).toBeCloseTo(natsPerToken / Math.LN2, 9);
      expect(Math.log(perplexity)).toBeCloseTo(natsPerToken, 9);
    }
    expect(evaluation.total.tokens).toBe(speeches.tokens + manuals.tokens);
    expect(evaluation.choices).toMatchObject({ path: questions, questions: 12 });
    expect(evaluation.choices.acc).toBeCloseTo(8 / 12, 12);

    const lines = tables.stdout.split('\n');
    expect(lines[1]).toContain(`speeches.txt         ${speeches.bitsPerByte.toFixed(4)}`);
    expect(lines[3]).toMatch(/^total /);
    expect(lines[6]).toMatch(/questions\.jsonl +12 {2}0\.6667 {3}0\.1421/);
  });

  test('says in one line what is wrong', async () => {
    const bad = join(await temporaryDirectory(), 'bad.jsonl');
    await writeFile(bad, '{"query": "a", "choices": ["b", "c"], "gold": 0}\n{"query": "a"}\n');
    const line = /bad\.jsonl:2 has no list of choices: put two texts at least under "choices"/;
    expectOneLine(await runCommand(['eval', orator, '--choices', bad]), { code: 2, line });
    expectOneLine(await runCommand(['eval', orator]), {
      code: 2,
      line: /Nothing to evaluate on: name texts/,
    });
    expect((await runCommand(['eval', orator, '--threads', '0'])).code).toBe(2);
  });
});
