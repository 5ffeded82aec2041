import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

const schema = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
});

/**
 * Ids of the tokens that end a text: eos_token_id of generation_config.json, or else of config.json.
 *
 * @throws FuseMeshError invalid_argument where one of the files is not valid
 */
export async function endOfTextIds(directory: string): Promise<ReadonlySet<number>> {
  for (const name of ['generation_config.json', 'config.json']) {
    const path = join(directory, name);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) continue;
    const ids = parse(text, path).eos_token_id ?? [];
    if (typeof ids === 'number' || ids.length > 0) return new Set([ids].flat());
  }
  return new Set();
}

function parse(text: string, path: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `${path}: eos_token_id must be a token id or a list of them`,
      { cause },
    );
  }
}
