import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// `npm run demo -- --json` and other arguments of `fusemesh up` are passed through.
await withSetUp({ nats: true }, (environment) =>
  run(process.execPath, ['cli/fusemesh.mjs', 'up', 'examples/demo.yaml', ...process.argv.slice(2)], {
    environment,
    lifeline: true,
  }),
);
