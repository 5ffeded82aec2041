import { join } from 'node:path';
import importsOfRooms from '../.dependency-cruiser.rooms.cjs';
import { generatedCodeIsUpToDate } from './generated-code.mjs';
import { root, say } from './project.mjs';
import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

const bin = (name) => join(root, 'node_modules', '.bin', name);
const passes = async (name, ...parameters) => (await run(bin(name), parameters)) === 0;
const rooms = Object.keys(importsOfRooms);
const folders = [...rooms, 'test', 'bench', 'prove', 'examples', 'deploy', 'scripts'];
const importsKeep = (config, places) =>
  passes('depcruise', '--config', config, '--output-type', 'err-long', ...places);

const steps = {
  'types (tsc)': () => passes('tsc', '--noEmit'),
  'types in the browser (tsc)': () => passes('tsc', '--project', 'page/view'),
  'lint and format (biome)': () => passes('biome', 'check', '--error-on-warnings'),
  'one-way imports (dependency-cruiser)': () => importsKeep('.dependency-cruiser.cjs', folders),
  'no circles between folders (dependency-cruiser)': () =>
    importsKeep('.dependency-cruiser.folders.cjs', rooms),
  'protocol (buf lint)': () => passes('buf', 'lint'),
  'generated code up to date': async () => generatedCodeIsUpToDate(),
  'unused code and dependencies (knip)': () => passes('knip'),
};

// All steps run even where one fails, so that one look shows everything.
await withSetUp({ nats: false }, async () => {
  const results = [];
  for (const [name, step] of Object.entries(steps)) {
    say(`\n── ${name}`);
    const began = performance.now();
    const passed = await step();
    results.push({ name, passed, seconds: (performance.now() - began) / 1000 });
  }
  say('');
  for (const { name, passed, seconds } of results) {
    say(`${passed ? 'ok    ' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)`);
  }
  return results.every(({ passed }) => passed) ? 0 : 1;
});
