import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleConfig } from '../../test/support/example-config.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { checkTarget, checkTeacherModel, judgeModel } from './run-models.ts';

const root = join(import.meta.dirname, '../..');
const limits = { contextLength: 64, topK: 8 };
const check = (path: string) => checkTeacherModel('teachers.0.model', path, limits);

it('reads stored and exported models', async () => {
  const zoo = join(root, 'examples/zoo/engineer');
  expect(await check(zoo)).toEqual([
    { name: 'teachers.0.model', verdict: 'ok', text: `${zoo}: gpt_neox, 1.11M parameters, context 256` },
  ]);
  const [exported] = await checkTeacherModel(
    'teachers.0.model',
    join(root, 'test/golden-onnx/gpt2-half-external'),
    {
      contextLength: 16,
      topK: 1,
    },
  );
  expect(exported).toMatchObject({ verdict: 'ok', text: expect.stringContaining(': gpt2, ') });
});

it('takes a quantized model for a teacher, not for the target', async () => {
  const model = join(root, 'test/golden-quantized/awq');
  const directory = await temporaryDirectory();
  await cp(model, directory, { recursive: true });
  await cp(join(root, 'test/golden-onnx/llama-masked/tokenizer.json'), join(directory, 'tokenizer.json'));
  expect(await check(directory)).toMatchObject([{ text: expect.stringContaining('takes 32 tokens') }]);
  await expect(checkTarget(exampleConfig({ target: { model: directory } }))).rejects.toThrow('is quantized');
});

it('refuses what a process would refuse', async () => {
  const directory = await temporaryDirectory();
  await expect(check(join(directory, 'none'))).rejects.toThrow('No model at');
  const strange = join(directory, 'strange');
  await mkdir(strange);
  await writeFile(join(strange, 'config.json'), '{"model_type": "bert"}');
  await expect(check(strange)).rejects.toThrow('model_type "bert" is not supported; supported: llama');
  const target = join(root, 'examples/zoo/target');
  const broken = exampleConfig({ target: { model: target, lora: { targetModules: 'none' } } });
  await expect(checkTarget(broken)).rejects.toThrow('targetModules');
});

it('judges the sizes that the run asks of a model', async () => {
  const model = { family: 'llama', parameters: 7e9, vocabularySize: 32_000, contextLength: 2048 };
  const judged = (contextLength: number, topK: number) =>
    judgeModel('m', 'models/m', model, { contextLength, topK })[0];
  expect(judged(2048, 50)).toEqual({
    name: 'm',
    verdict: 'ok',
    text: 'models/m: llama, 7B parameters, context 2048',
  });
  expect(judged(4096, 50)).toMatchObject({
    verdict: 'note',
    text: expect.stringContaining('lower contextLength'),
  });
  expect(judged(2048, 40_000)).toMatchObject({
    verdict: 'problem',
    text: expect.stringContaining('lower topK'),
  });
  const model256 = join(root, 'examples/zoo/target');
  const long = await checkTarget(exampleConfig({ contextLength: 512, target: { model: model256 } }));
  expect(long).toEqual([
    { name: 'target.model', verdict: 'problem', text: expect.stringMatching(/takes 256 at most: lower it$/) },
  ]);
});
