import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where the files of a model are. */
export interface ModelFiles {
  /** Has config.json and tokenizer.json, and the weights if they are safetensors. */
  readonly directory: string;
  /** The .onnx file of an exported model; files with external data are beside it. */
  readonly exported?: string;
}

/**
 * Finds a model by the path of its Hugging Face directory or of an .onnx file. A directory with safetensors
 * is read as such, whatever else it holds; without them, its exported model is used.
 */
export async function findModelFiles(path: string): Promise<ModelFiles> {
  const safetensors = ['model.safetensors', 'model.safetensors.index.json'];
  if (await first(safetensors.map((name) => join(path, name)))) return { directory: path };
  const exported = path.endsWith('.onnx')
    ? path
    : await first([join(path, 'model.onnx'), join(path, 'onnx', 'model.onnx')]);
  if (exported === undefined) return { directory: path };
  const beside = dirname(exported);
  const config = await first([join(beside, 'config.json'), join(beside, '..', 'config.json')]);
  return { directory: config ? dirname(config) : beside, exported };
}

/** The first of these files that exists. */
async function first(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
