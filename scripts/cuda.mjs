import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

await withSetUp({ nats: false }, (environment) =>
  run(process.execPath, ['--import', 'tsx', 'deploy/cuda/install.ts', ...process.argv.slice(2)], {
    environment,
  }),
);
