import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import { openSecurity } from '../../../process/security/service-security.ts';
import { awaitTokenizer, awaitTokenizers } from './await-tokenizers.ts';
import { Source } from './source.ts';

const log = createLog('test', { level: 'silent' });
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await Tokenizer.fromFile(
    join(import.meta.dirname, '../../../examples/zoo/orator/tokenizer.json'),
  );
});

function waitFor(rule: { atLeast: number; within: number }) {
  const sources = ['orator', 'novelist', 'engineer'].map((name) => new Source(name, '', openSecurity));
  const notifier = new Notifier();
  const stop = new AbortController();
  stop.signal.addEventListener('abort', () => notifier.notifyAll());
  const come = (...which: number[]) => {
    for (const i of which) sources[i].tokenizer = tokenizer;
    notifier.notifyAll();
  };
  const waiting = { notifier, signal: stop.signal, log };
  return { sources, come, stop, waiting, begun: awaitTokenizers(sources, rule, waiting) };
}

const soon = <T>(promise: Promise<T>) => Promise.race([promise, sleep(150, 'waits')]);

it('waits for all where all are waited for, and until it is stopped', async () => {
  const { begun, come, stop } = waitFor({ atLeast: 3, within: Number.POSITIVE_INFINITY });
  come(0, 2);
  expect(await soon(begun)).toBe('waits');
  come(1);
  expect(await begun).toBe(true);

  const stopped = waitFor({ atLeast: 3, within: Number.POSITIVE_INFINITY });
  stopped.stop.abort();
  expect(await stopped.begun).toBe(false);
  stop.abort();
});

it('begins with enough when the time is over, and hears of one that comes later', async () => {
  const { sources, begun, come, waiting } = waitFor({ atLeast: 2, within: 50 });
  come(0);
  expect(await soon(begun)).toBe('waits');
  come(2);
  expect(await begun).toBe(true);
  const late = awaitTokenizer(sources[1], waiting);
  expect(await soon(late)).toBe('waits');
  come(1);
  expect(await late).toBe(tokenizer);
});
