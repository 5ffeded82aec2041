import { defineConfig } from 'vitest/config';

// Tests start real servers, worker threads and child processes: few files at once, and time to spare.
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
