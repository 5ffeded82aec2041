import { afterEach, expect, it, vi } from 'vitest';
import { createLog } from './log.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('takes its level from LOG_LEVEL, and refuses what is none', () => {
  vi.stubEnv('LOG_LEVEL', 'debug');
  expect(createLog('test').level).toBe('debug');
  vi.stubEnv('LOG_LEVEL', '');
  expect(createLog('test').level).toBe('info');
  vi.stubEnv('LOG_LEVEL', 'verbose');
  expect(() => createLog('test')).toThrow(
    'LOG_LEVEL is "verbose", which is no level: use one of trace, debug, info, warn, error, fatal, silent.',
  );
});
