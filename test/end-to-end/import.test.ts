import { join } from 'node:path';
import { expect, it } from 'vitest';
import { goldenGguf } from '../support/gguf.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './command.ts';

it('a GGUF is imported, generates, and is not written over', { timeout: 60_000 }, async () => {
  const directory = join(await temporaryDirectory(), 'model');
  const imported = await runCommand(['import', goldenGguf('qwen2.gguf'), directory]);
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining(`${directory}: qwen2,`) });

  const generated = await runCommand(['generate', directory, 'The ship', '--max-tokens', '4']);
  expect(generated).toMatchObject({ code: 0 });

  const again = await runCommand(['import', goldenGguf('qwen2.gguf'), directory]);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('name another directory') });
});
