import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './command.ts';

const novelist = join(import.meta.dirname, '../../examples/zoo/novelist');

test('a model answers as an assistant by its chat template', { timeout: 60_000 }, async () => {
  const model = join(await temporaryDirectory(), 'model');
  await cp(novelist, model, { recursive: true });
  const template = '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}';
  await writeFile(join(model, 'chat_template.jinja'), template);
  const asked = ['generate', model, 'The ship', '--max-tokens', '6'];
  const chat = await runCommand([...asked, '--chat', '--system', 'Be short.']);
  const asText = await runCommand([
    'generate',
    model,
    '[system] Be short.\n[user] The ship\n',
    '--max-tokens',
    '6',
  ]);
  expect(chat).toMatchObject({ code: 0, stdout: asText.stdout });
  const refused = await runCommand([...asked, '--system', 'Be short.']);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('go with --chat') });
});
