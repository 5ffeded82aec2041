import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetUpError } from './project.mjs';
import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

const folder = join(root, 'bench');
const sourceOf = (name) => readFileSync(join(folder, `${name}.ts`), 'utf8');

/** A benchmark is a program and exports nothing; the other files of the folder are shared by benchmarks. */
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => !/^export /m.test(sourceOf(name)))
  .sort();

/** First line of the first comment of a benchmark: what it measures. */
function purposeOf(name) {
  return /\/\*\*\s*(?:\*\s*)?(.*?)\s*(?:\*\/|\n)/.exec(sourceOf(name))?.[1] ?? '';
}

const [name, ...parameters] = process.argv.slice(2);
if (name === undefined) {
  const width = Math.max(0, ...names.map((known) => known.length));
  for (const known of names) console.log(`${known.padEnd(width)}  ${purposeOf(known)}`);
  console.log('\nnpm run bench -- NAME [--json]');
} else {
  await withSetUp({ nats: true }, (environment) => {
    if (!names.includes(name)) {
      throw new SetUpError(`there is no benchmark "${name}": choose one of ${names.join(', ')}.`);
    }
    return run(process.execPath, ['--import', 'tsx', `bench/${name}.ts`, ...parameters], { environment });
  });
}
