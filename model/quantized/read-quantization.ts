import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ZodError } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { awq } from './awq.ts';
import { bitsandbytes } from './bitsandbytes.ts';
import { gptq } from './gptq.ts';
import { mlx } from './mlx.ts';
import type { Quantization } from './quantization.ts';

const methods: Readonly<Record<string, (json: unknown) => Quantization>> = { gptq, awq, bitsandbytes, mlx };

/**
 * How the weights of a Hugging Face directory are quantized, by its config.json; undefined where they are not.
 *
 * @throws FuseMeshError invalid_argument for a method, or a setting of it, that is not supported
 */
export async function readQuantization(directory: string): Promise<Quantization | undefined> {
  const path = join(directory, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, unknown>>;
  const key = ['quantization_config', 'quantization'].find((name) => config[name] != null);
  if (key === undefined) return undefined;
  const json = config[key];
  const refusal = (problem: string, cause?: unknown) =>
    new FuseMeshError('invalid_argument', `${path}: ${key}${problem}`, { cause });
  if (typeof json !== 'object' || json === null) throw refusal(' is no object');
  const method = methodOf(json, 'quantization' in config);
  const read = methods[method];
  if (!read)
    throw refusal(
      `.quant_method "${method}" is not supported; supported: ${Object.keys(methods).join(', ')}. Or give the model with float weights`,
    );
  try {
    return read(json);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const problems = error.issues.map((issue) => `.${issue.path.join('.')}: ${issue.message}`);
    throw refusal(`${problems.join('; ')} (${method})`, error);
  }
}

/** MLX names no method, and early bitsandbytes did not either. */
function methodOf(json: object, isOfMlx: boolean): string {
  if ('quant_method' in json) return String(json.quant_method);
  if ('load_in_4bit' in json || 'load_in_8bit' in json) return 'bitsandbytes';
  return isOfMlx ? 'mlx' : 'undefined';
}
