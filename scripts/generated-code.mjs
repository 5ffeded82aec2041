import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, say } from './project.mjs';
import { succeeds } from './run.mjs';

/**
 * Generates all generated files anew, beside the repository, and compares them with those in it.
 *
 * @returns {boolean} true where they are the same; differences are named on stderr
 */
export function generatedCodeIsUpToDate() {
  const scratch = mkdtempSync(join(tmpdir(), 'fusemesh-generated-'));
  const bin = (name) => join(root, 'node_modules', '.bin', name);
  const environment = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` };
  const dashboards = 'deploy/grafana/dashboards';
  try {
    const generated =
      succeeds(bin('buf'), ['generate', '--output', scratch], environment) &&
      succeeds(bin('tsx'), ['deploy/grafana/build.ts', join(scratch, dashboards)], environment) &&
      succeeds(bin('tsx'), ['deploy/metrics-document/build.ts', join(scratch, 'docs')], environment);
    if (!generated) return false;
    const alike = ['wire/generated', dashboards].map((folder) => same(folder, scratch));
    // Beside it in docs stands what people write.
    alike.push(sameFile('docs/metrics.md', scratch));
    return alike.every(Boolean);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function same(folder, scratch) {
  const [here, fresh] = [root, scratch].map((base) => contentsOf(join(base, folder)));
  const different = [...new Set([...here.keys(), ...fresh.keys()])].filter(
    (file) => here.get(file) !== fresh.get(file),
  );
  for (const file of different) say(`${folder}/${file} is not what its source makes: run npm run generate.`);
  return different.length === 0;
}

function sameFile(file, scratch) {
  const path = join(root, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === readFileSync(join(scratch, file), 'utf8'))
    return true;
  say(`${file} is not what its source makes: run npm run generate.`);
  return false;
}

const contentsOf = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]),
  );
