import type { Metadata } from './metadata.ts';

/** Kinds of token, as llama.cpp numbers them (enum llama_token_type). */
const kinds = ['undefined', 'normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'] as const;

export interface Token {
  readonly id: number;
  /** As the vocabulary spells it; as it stands in a text where it is a control or user-defined token. */
  readonly text: string;
  readonly kind: (typeof kinds)[number];
}

/** What a GGUF's metadata say of tokens, whatever the kind of tokenizer. */
export interface Vocabulary {
  readonly tokens: readonly Token[];
  readonly ids: SpecialIds;
  readonly addBegin: boolean | undefined;
  readonly addEnd: boolean | undefined;
  readonly chatTemplate: string | undefined;
}

export interface SpecialIds {
  readonly begin: number | undefined;
  readonly end: number | undefined;
  readonly unknown: number | undefined;
  readonly padding: number | undefined;
}

/** @throws FuseMeshError invalid_argument when two tokens are the same, or an id names none */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const texts = metadata.optionalStrings('tokenizer.ggml.tokens');
  if (texts === undefined)
    throw metadata.refusal('tokenizer.ggml.tokens', 'is missing: the file has no tokenizer');
  const types = metadata.optionalNumbers('tokenizer.ggml.token_type') ?? [];
  const tokens = texts
    .map((text, id) => ({ id, text, kind: kinds[types[id] ?? 1] ?? 'undefined' }))
    // Rows of the embedding that no token has: the converter names them so.
    .filter(({ id, text, kind }) => !(kind === 'unused' && text === `[PAD${id}]`));
  const byText = new Map<string, number>();
  for (const { id, text } of tokens) {
    const other = byText.get(text);
    if (other !== undefined)
      throw metadata.refusal(
        'tokenizer.ggml.tokens',
        `has ${JSON.stringify(text)} twice, as ${other} and ${id}`,
      );
    byText.set(text, id);
  }
  // What llama.cpp takes where a file with a SentencePiece tokenizer says nothing.
  const usual =
    metadata.optionalString('tokenizer.ggml.model') === 'llama' ? { unknown: 0, bos: 1, eos: 2 } : {};
  const special = (name: 'bos' | 'eos' | 'unknown' | 'padding') => {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = metadata.optionalNumber(key) ?? (usual as Partial<Record<typeof name, number>>)[name];
    if (id !== undefined && texts[id] === undefined)
      throw metadata.refusal(key, `is ${id}, which no token has`);
    return id;
  };
  return {
    tokens,
    ids: {
      begin: special('bos'),
      end: special('eos'),
      unknown: special('unknown'),
      padding: special('padding'),
    },
    addBegin: metadata.optionalBoolean('tokenizer.ggml.add_bos_token'),
    addEnd: metadata.optionalBoolean('tokenizer.ggml.add_eos_token'),
    chatTemplate: metadata.optionalString('tokenizer.chat_template'),
  };
}

/** What config.json and generation_config.json say of special tokens. */
export const idsForConfiguration = ({ begin, end, padding }: SpecialIds) => ({
  bos_token_id: begin,
  eos_token_id: end,
  pad_token_id: padding,
});
