import { expect, it, vi } from 'vitest';
import { createLog } from './log.ts';
import { RepeatedWarning } from './repeated-warning.ts';

it('warns of the same once, of something else, and anew when it was over', async () => {
  const log = createLog('test', { level: 'silent' });
  const warned = vi.spyOn(log, 'warn');
  const warning = new RepeatedWarning(log, 300);
  for (const message of ['no disk', 'no disk', 'no room', 'no room']) warning.warn(message, { run: 'a' });
  warning.over();
  warning.warn('no room');
  warning.warn('no room');
  expect(warned.mock.calls.map(([, message]) => message)).toEqual(['no disk', 'no room', 'no room']);
  await new Promise((resolve) => setTimeout(resolve, 350));
  warning.warn('no room');
  expect(warned).toHaveBeenCalledTimes(4);
});
