import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// `npm test -- wire/codec` and other arguments of vitest are passed through.
await withSetUp({ nats: true }, (environment) =>
  run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], { environment }),
);
