import { exactVocabularyMap, idByBytes, NOT_MAPPED, type TokenVocabulary } from './exact-map.ts';

/** The part of a tokenizer that cuts texts into tokens. */
export interface TextCutter extends TokenVocabulary {
  /** The first token of each text where it stands in the middle of a text; −1 where that cannot be told. */
  firstTokens(texts: readonly string[]): Promise<Int32Array>;
}

/**
 * Maps every token of a source to the first token that the target makes of its text. So mass of " unbelievable" goes to " un" where the target writes " un|believ|able". Tokens that
 * are not whole characters, and those that the target cannot cut alone, go to the longest token of the target that
 * they begin with.
 *
 * @returns [source vocabulary] target id of each source id, or −1 for special tokens
 */
export async function prefixVocabularyMap(
  source: TokenVocabulary,
  target: TextCutter,
): Promise<Int32Array<ArrayBuffer>> {
  const map = exactVocabularyMap(source, target);
  const cut: { readonly id: number; readonly text: string }[] = [];
  const longestPrefix = longestPrefixOf(target);
  for (let id = 0; id < map.length; id++) {
    const bytes = source.tokenBytes(id);
    if (map[id] !== NOT_MAPPED || bytes === undefined) continue;
    const text = wholeCharacters(bytes);
    if (text === undefined) map[id] = longestPrefix(bytes);
    else cut.push({ id, text });
  }
  const first = await target.firstTokens(cut.map(({ text }) => text));
  for (const [i, { id, text }] of cut.entries()) {
    map[id] = first[i] === NOT_MAPPED ? longestPrefix(Buffer.from(text).toString('latin1')) : first[i];
  }
  return map;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of bytes, one character (U+0000 to U+00FF) a byte; undefined where they are no UTF-8. */
function wholeCharacters(bytes: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

function longestPrefixOf(target: TokenVocabulary): (bytes: string) => number {
  const idOf = idByBytes(target);
  return (bytes) => {
    for (let length = bytes.length; length > 0; length--) {
      const id = idOf.get(bytes.slice(0, length));
      if (id !== undefined) return id;
    }
    return NOT_MAPPED;
  };
}
