import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetUpError } from './project.mjs';
import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

/**
 * `npm run bench -- NAME …`: runs a program of a folder; without a name lists them with what they are for, and with
 * --help behind the name tells all that a program says of itself.
 *
 * @param command the npm script
 * @param folder its programs: they export nothing; the other files there are shared by them
 * @param usage what stands below the list
 */
export async function runProgramOf({ command, folder, what, usage }) {
  const sourceOf = (name) => readFileSync(join(root, folder, `${name}.ts`), 'utf8');
  const names = readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => !/^export /m.test(sourceOf(name)))
    .sort();

  const [name, ...parameters] = process.argv.slice(2);
  if (name === undefined) {
    const width = Math.max(0, ...names.map((known) => known.length));
    for (const known of names) console.log(`${known.padEnd(width)}  ${aboutOf(sourceOf(known))[0]}`);
    console.log(`\nnpm run ${command} -- ${usage}\nnpm run ${command} -- NAME --help`);
    return;
  }
  if (names.includes(name) && parameters.includes('--help')) {
    console.log(aboutOf(sourceOf(name)).join('\n'));
    return;
  }
  await withSetUp({ nats: true }, (environment) => {
    if (!names.includes(name)) {
      throw new SetUpError(`there is no ${what} "${name}": choose one of ${names.join(', ')}.`);
    }
    return run(process.execPath, ['--import', 'tsx', `${folder}/${name}.ts`, ...parameters], { environment });
  });
}

/** The lines of a program's first comment: what it is for, and below it its options. */
function aboutOf(source) {
  const [, comment = ''] = /\/\*\*(.*?)\*\//s.exec(source) ?? [];
  return comment
    .trim()
    .split('\n')
    .map((line) => line.replace(/^ *\* ?/, '').trimEnd());
}
