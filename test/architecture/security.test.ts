import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rooms = ['process', 'wire', 'services', 'trainer', 'cli'];
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...rooms], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

/** Calls that open a connection or a port, and what they must contain in production code. */
const doors = [
  { door: 'createClient', opens: /(?<!function )\bcreateClient\(/, needs: /security/ },
  { door: 'serve', opens: /await serve\(\{/, needs: /security/ },
  { door: 'serveHttp', opens: /await serveHttp\(/, needs: /security/ },
  { door: 'connectNats', opens: /(?<!function )\bconnectNats\(/, needs: /^connectNats\(\s*(config|where)\b/ },
];

test.each(doors)(
  'every $door of production code has what the run file says about security',
  ({ opens, needs }) => {
    const calls = files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [...text.matchAll(new RegExp(opens, 'g'))].map(({ 0: found, index }) => ({
        file,
        call: callAt(text, index).slice(found.startsWith('await ') ? 'await '.length : 0),
      }));
    });
    expect(calls.length).toBeGreaterThan(0);
    for (const { file, call } of calls) expect(call, file).toMatch(needs);
  },
);

/** From an index to the bracket that closes the call. */
function callAt(text: string, index: number): string {
  let depth = 0;
  for (let end = text.indexOf('(', index); end < text.length; end++) {
    if (text[end] === '(') depth++;
    if (text[end] === ')' && --depth === 0) return text.slice(index, end + 1);
  }
  return text.slice(index);
}
