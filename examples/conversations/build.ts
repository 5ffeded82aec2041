import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/**
 * Writes data.jsonl and held-out.jsonl from the English files of chatterbot-corpus 1.3.3, unpacked from the .tar.gz on
 * PyPI (LICENSE.md): npx tsx examples/conversations/build.ts DIRECTORY
 */

/** Which of its files are taken. */
const names = [
  'science',
  'computers',
  'trivia',
  'literature',
  'history',
  'money',
  'sports',
  'food',
  'coding',
];
/** SHA-256 over these files, one after another. */
const sha256 = 'f909aad4dbab1582d8f8ec6207cadca2d2949f90aabda60b01bc004e6eb76f1a';
/** One question in so many is held out, with all answers to it. */
const heldOutEvery = 10;

const [directory] = process.argv.slice(2);
const folder = join(directory, 'chatterbot_corpus', 'data', 'english');
const hash = createHash('sha256');
/** By what is asked first, in small letters. */
const conversations = new Map<string, Set<string>>();
for (const name of names) {
  const source = await readFile(join(folder, `${name}.yml`), 'utf8');
  hash.update(source);
  for (const said of (parse(source) as { conversations: unknown[] }).conversations) {
    if (!Array.isArray(said)) continue;
    const [question, ...rest] = said.map((text) => String(text).trim());
    // In this file several answers follow one question; in the others question and answer alternate.
    const chats = name === 'computers' ? rest.map((answer) => [question, answer]) : [[question, ...rest]];
    const asked = conversations.get(question.toLowerCase()) ?? new Set();
    for (const chat of chats) asked.add(JSON.stringify({ messages: messagesOf(chat) }));
    conversations.set(question.toLowerCase(), asked);
  }
}
if (hash.digest('hex') !== sha256) throw new Error(`${folder} is not that of version 1.3.3`);

const lines: Record<'data' | 'held-out', string[]> = { data: [], 'held-out': [] };
for (const [i, asked] of [...conversations.values()].entries()) {
  lines[i % heldOutEvery === heldOutEvery - 1 ? 'held-out' : 'data'].push(...asked);
}
for (const [name, rows] of Object.entries(lines)) {
  await writeFile(join(import.meta.dirname, `${name}.jsonl`), `${rows.join('\n')}\n`);
}

/** Whole exchanges: a question that nobody answers is left out. */
function messagesOf(said: readonly string[]): { role: string; content: string }[] {
  const whole = said.slice(0, said.length - (said.length % 2));
  return whole.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
}
