import { configDefaults, defineConfig } from 'vitest/config';
import { translatedWorkers } from './test/translated/translated-workers.ts';

/** Tests that need a large model: npm run test:real sets this. */
const withRealModels = process.env['FUSEMESH_REAL'] !== undefined;
/** Tests that need a real vLLM: npm run test:served sets this. */
const withVllm = process.env['FUSEMESH_VLLM'] !== undefined;
/** Tests that need clients of PyPI: npm run test:clients sets this. */
const withClients = process.env['FUSEMESH_CLIENTS'] !== undefined;
/** Tests that take minutes on a software device: npm run test:webgpu sets this. */
const withSlowDevice = process.env['FUSEMESH_WEBGPU'] !== undefined;

// Tests start real servers, worker threads and child processes: few files at once, and time to spare.
export default defineConfig({
  plugins: [translatedWorkers],
  test: {
    include: ['**/*.test.ts'],
    globalSetup: ['test/translated/translate-program.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(withRealModels ? [] : ['test/real/**']),
      ...(withVllm ? [] : ['test/vllm/**']),
      ...(withSlowDevice ? [] : ['test/webgpu/slow/**']),
      ...(withClients ? [] : ['test/clients/python/**']),
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
