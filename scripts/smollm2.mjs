import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// `npm run smollm2 -- DIRECTORY` writes the model there.
await withSetUp({ nats: false }, (environment) =>
  run(process.execPath, ['--import', 'tsx', 'examples/smollm2/build.ts', ...process.argv.slice(2)], {
    environment,
  }),
);
