import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// Tests with a model that others have trained; makes it first where it is not there.
await withSetUp({ nats: true }, async (environment) => {
  const made = await run(process.execPath, ['--import', 'tsx', 'examples/smollm2/build.ts'], { environment });
  if (made !== 0) return made;
  return run(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2), 'test/real'],
    {
      environment: { ...environment, FUSEMESH_REAL: '1' },
    },
  );
});
