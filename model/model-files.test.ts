import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { findModelFiles } from './model-files.ts';

it.each([
  ['safetensors', ['config.json', 'model.safetensors'], '', undefined, ''],
  ['safetensors beside an exported model', ['model.safetensors.index.json', 'model.onnx'], '', undefined, ''],
  ['an exported model', ['config.json', 'model.onnx'], '', 'model.onnx', ''],
  ['the layout of transformers.js', ['config.json', 'onnx/model.onnx'], '', 'onnx/model.onnx', ''],
  ['two exported models', ['config.json', 'model.onnx', 'onnx/model.onnx'], '', 'model.onnx', ''],
  ['a config beside', ['config.json', 'onnx/config.json', 'onnx/model.onnx'], '', 'onnx/model.onnx', 'onnx'],
  ['a file', ['config.json', 'onnx/q.onnx', 'model.safetensors'], 'onnx/q.onnx', 'onnx/q.onnx', ''],
  ['a file that is not there', ['config.json'], 'q.onnx', 'q.onnx', ''],
  ['nothing', [], '', undefined, ''],
])('finds %s', async (_, files, path, exported, directory) => {
  const root = await temporaryDirectory();
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), '');
  }
  expect(await findModelFiles(join(root, path))).toEqual({
    directory: join(root, directory),
    ...(exported && { exported: join(root, exported) }),
  });
});
