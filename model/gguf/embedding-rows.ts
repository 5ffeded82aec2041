import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { GgufFile } from './gguf-file.ts';

/**
 * How many tokens a model knows: the rows of its embedding, which may be more than its tokenizer has.
 *
 * @throws FuseMeshError invalid_argument where there is none
 */
export function embeddingRows({ path, tensors }: GgufFile): number {
  const rows = tensors.get('token_embd.weight')?.shape[0];
  if (rows !== undefined) return rows;
  throw new FuseMeshError(
    'invalid_argument',
    `${path} has no tensor token_embd.weight: it is no language model.`,
  );
}
