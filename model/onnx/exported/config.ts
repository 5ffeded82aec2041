import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';

/** What the config.json beside an exported model says that the model does not. */
export interface ExportedConfig {
  /** model_type. */
  readonly family: string;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
}

const size = z.number().int().positive();

/** The context length has another name in every generation of models. */
const schema = z
  .looseObject({
    model_type: z.string(),
    vocab_size: size,
    max_position_embeddings: size.nullish(),
    n_positions: size.nullish(),
    max_seq_len: size.nullish(),
    n_ctx: size.nullish(),
  })
  .transform((json, context): ExportedConfig => {
    const contextLength = json.max_position_embeddings ?? json.n_positions ?? json.max_seq_len ?? json.n_ctx;
    if (contextLength) {
      return { family: json.model_type, vocabularySize: json.vocab_size, contextLength };
    }
    context.addIssue('it has none of max_position_embeddings, n_positions, max_seq_len and n_ctx');
    return z.NEVER;
  });

/** @throws FuseMeshError not_found when there is no such file, invalid_argument when something is missing in it */
export async function readExportedConfig(path: string): Promise<ExportedConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FuseMeshError(
      'not_found',
      `No ${path}: an ONNX model needs its config.json and tokenizer.json`,
      {
        cause,
      },
    );
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${path} is not a JSON object`, { cause });
  }
  const { data, error } = schema.safeParse(json);
  if (data) return data;
  const problems = error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new FuseMeshError('invalid_argument', `${path}: ${problems.join('; ')}`, { cause: error });
}
