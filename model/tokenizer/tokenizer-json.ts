/** The parts of a Hugging Face tokenizer.json that we read or change; the rest goes through untouched. */
export interface TokenizerJson {
  truncation: unknown;
  padding: unknown;
  readonly added_tokens: readonly { readonly id: number; readonly special: boolean }[];
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: Component | null;
  readonly model: {
    readonly type?: string;
    readonly byte_fallback?: boolean;
    readonly continuing_subword_prefix?: string;
  };
}

/** A normalizer, pre-tokenizer, post-processor or decoder; a Sequence holds a list of further ones. */
export interface Component {
  readonly type: string;
  trim_offsets?: boolean;
  [key: string]: unknown;
}

/**
 * Parses a tokenizer.json and turns off what would hide parts of a text: truncation, padding, and spans
 * without their leading space.
 *
 * @throws Error with a plain reason when the text is not one
 */
export function parseTokenizerJson(text: string): TokenizerJson {
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null || !('model' in json)) throw new Error('it has no "model"');
  const tokenizer = { added_tokens: [], ...json } as unknown as TokenizerJson;
  tokenizer.truncation = null;
  tokenizer.padding = null;
  for (const processor of components(tokenizer.post_processor)) {
    if ('trim_offsets' in processor) processor.trim_offsets = false;
  }
  return tokenizer;
}

/** True where tokens are spelt in GPT-2's byte alphabet. */
export function usesByteLevel(json: TokenizerJson): boolean {
  return [json.normalizer, json.pre_tokenizer, json.decoder]
    .flatMap(components)
    .some(({ type }) => type === 'ByteLevel');
}

/** True where <0xAB> stands for a byte. */
export function usesByteFallback(json: TokenizerJson): boolean {
  return (
    json.model.byte_fallback === true || components(json.decoder).some(({ type }) => type === 'ByteFallback')
  );
}

/** True where ▁ stands for a space. */
export function usesMetaspace(json: TokenizerJson): boolean {
  return [json.normalizer, json.pre_tokenizer, json.decoder]
    .flatMap(components)
    .some(
      (component) =>
        component.type === 'Metaspace' ||
        (component.type === 'Replace' && JSON.stringify(component).includes('▁')),
    );
}

/** The character for a space in the vocabulary's own spelling; empty where spaces are no part of tokens. */
export function spaceMarkOf(json: TokenizerJson): 'Ġ' | '▁' | '' {
  if (usesByteLevel(json)) return 'Ġ';
  return usesMetaspace(json) ? '▁' : '';
}

/** True where a ▁ is put before every stretch of text, even before one that begins with a space. */
export function prependsAlways(json: TokenizerJson): boolean {
  return components(json.normalizer).some(({ type, prepend }) => type === 'Prepend' && prepend === '▁');
}

/** A component and all that it holds, in order. */
export function components(component: Component | null | undefined): Component[] {
  if (component === null || component === undefined) return [];
  const parts = ['normalizers', 'pretokenizers', 'processors', 'decoders'].flatMap(
    (key) => (component[key] as Component[] | undefined) ?? [],
  );
  return [component, ...parts.flatMap(components)];
}
