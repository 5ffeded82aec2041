import { expect, it } from 'vitest';
import { ownVersion } from '../process/lifecycle/own-version.ts';
import { program } from './program.ts';

const verbsOf = async (asked?: string) => (await program(asked)).commands.map((command) => command.name());

it('reads the verb that is asked for alone, and all where none is', async () => {
  const all = await verbsOf();
  expect(all).toContain('up');
  expect(all).toContain('dead-letters');
  for (const verb of all) expect(await verbsOf(verb)).toEqual([verb]);
  for (const other of ['--help', 'help', 'nonsense', 'toString']) expect(await verbsOf(other)).toEqual(all);
  expect(all).not.toContain('evaluate');
  expect(await verbsOf('evaluate')).toEqual(['evaluate']);
  expect((await program()).version()).toBe(ownVersion);
});
