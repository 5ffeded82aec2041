import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where the parts of a model lie. */
export interface ModelFiles {
  /** Has config.json and tokenizer.json, and the weights where they are safetensors. */
  readonly directory: string;
  /** The .onnx file of an exported model; what it keeps in other files lies beside it. */
  readonly exported?: string;
}

/**
 * Finds a model by the path of its Hugging Face directory or of an .onnx file. A directory with safetensors is
 * taken as such, whatever else it holds; one without, by its exported model.
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

/** The first of these files that is there. */
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
