import { afterAll, beforeAll, expect, test } from 'vitest';
import { goOn, isAlive, makeSmallCorpus, processIds, type SmallCorpus, writeRunFile } from './small-run.ts';

let corpus: SmallCorpus;
let run: { path: string; output: string };

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 8000 });
  run = await writeRunFile(corpus, {
    run: `end-to-end-early-ends-${process.pid}`,
    changes: { fusion: { preset: 'fusellm' } },
  });
});
afterAll(() => corpus.remove());

test.each(['trainer', 'teacher novelist'])(
  'a %s that somebody else stops is told, and no run is called finished',
  {
    timeout: 120_000,
  },
  async (name) => {
    const up = await goOn(run);
    const ids = await processIds(run.output);
    process.kill(ids.get(name.replace(' ', '-'))!, 'SIGTERM');
    const { code, stdout, stderr } = await up.finished;
    expect(stderr).toMatch(new RegExp(`^fusemesh: ${name}: was stopped before the run was over.*\\n$`));
    expect(code).toBe(1);
    expect(stdout).not.toContain('finished');
  },
);

test('when the command itself is killed, every process of the run leaves', { timeout: 120_000 }, async () => {
  const up = await goOn(run);
  const ids = await processIds(run.output);
  up.process.kill('SIGKILL');
  await expect.poll(() => [...ids].filter(([, id]) => isAlive(id)), { timeout: 60_000 }).toEqual([]);
});
