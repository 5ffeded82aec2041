import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetUpError, say } from './project.mjs';
import { run, succeeds } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// Tests with clients of PyPI, openai and tritonclient, which are installed first where they are not there: Python 3 and
// 30 MB of downloads. FUSEMESH_CLIENTS names a virtual environment that has them already.
const folder = join(root, '.fusemesh', 'clients');

await withSetUp({ nats: false }, async (environment) => {
  const clients = process.env.FUSEMESH_CLIENTS ?? installClients();
  const parameters = [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...process.argv.slice(2),
    'test/clients/python',
  ];
  return run(process.execPath, parameters, { environment: { ...environment, FUSEMESH_CLIENTS: clients } });
});

/** @returns the folder of the virtual environment */
function installClients() {
  const done = join(folder, 'installed');
  if (existsSync(done)) return folder;
  say('Installing openai and tritonclient into .fusemesh/clients …');
  mkdirSync(folder, { recursive: true });
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [
      join(folder, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', 'openai>=3,<4', 'tritonclient[grpc]>=2.73,<3'],
    ],
  ];
  for (const [command, parameters] of steps) {
    if (!succeeds(command, parameters, process.env)) {
      throw new SetUpError(`${command} ${parameters.join(' ')} failed: the clients cannot be installed.`);
    }
  }
  writeFileSync(done, '');
  return folder;
}
