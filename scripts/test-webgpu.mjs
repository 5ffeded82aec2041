import { run } from './run.mjs';
import { withSetUp } from './set-up.mjs';

// Tests of GPUs by WebGPU, those too that take minutes on a software device.
await withSetUp({ nats: true }, (environment) =>
  run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2), 'test/webgpu'], {
    environment: { ...environment, FUSEMESH_WEBGPU: '1' },
  }),
);
