import { byteLevelAlphabet } from 'tokenizers';
import type { TokenizerJson } from './tokenizer-json.ts';
import { usesByteFallback, usesByteLevel, usesMetaspace } from './tokenizer-json.ts';

/** What bytes of text each token stands for; one flat array, as it is walked for every text. */
export interface TokenTable {
  /** V: largest id + 1. */
  readonly size: number;
  /** All tokens' bytes, one after another, by id. */
  readonly bytes: Uint8Array;
  /** [V + 1] where each token's bytes begin; an id without a token has none. */
  readonly offsets: Int32Array;
  /** [V] 1 for special tokens: they stand for themselves in a text, and for nothing when produced. */
  readonly special: Uint8Array;
  /** [V] 1 for tokens that stand for one byte of characters that have no token of their own (byte fallback). */
  readonly byteFallback: Uint8Array;
}

/** The bytes of every token of a vocabulary (token → id), as its pre-tokenizer and decoder define them. */
export function createTokenTable(
  vocabulary: Readonly<Record<string, number>>,
  json: TokenizerJson,
): TokenTable {
  const byteLevel = usesByteLevel(json);
  const toBytes = byteLevel
    ? byteLevelBytes()
    : plainBytes(usesByteFallback(json), usesMetaspace(json), continuationMark(json));
  const fallsBack = usesByteFallback(json);
  const added = new Map(json.added_tokens.map((token) => [token.id, token]));

  let size = 0;
  for (const id of Object.values(vocabulary)) size = Math.max(size, id + 1);
  const tokens: (Uint8Array | undefined)[] = new Array(size);
  for (const [token, id] of Object.entries(vocabulary)) {
    // An added token is found in a text as it is written. SentencePiece's decoders read it as any other, so Gemma's ▁▁
    // stands for two spaces; GPT-2's alphabet is no spelling of it.
    const literal = added.has(id) && (byteLevel || added.get(id)?.special);
    tokens[id] = literal ? Buffer.from(token) : toBytes(token);
  }

  const offsets = new Int32Array(size + 1);
  for (let id = 0; id < size; id++) offsets[id + 1] = offsets[id] + (tokens[id]?.length ?? 0);
  const bytes = new Uint8Array(offsets[size]);
  const special = new Uint8Array(size);
  const byteFallback = new Uint8Array(size);
  for (let id = 0; id < size; id++) {
    const token = tokens[id];
    if (token !== undefined) bytes.set(token, offsets[id]);
    if (added.get(id)?.special) special[id] = 1;
  }
  if (fallsBack) {
    for (const [token, id] of Object.entries(vocabulary)) if (byteToken.test(token)) byteFallback[id] = 1;
  }
  return { size, bytes, offsets, special, byteFallback };
}

/**
 * GPT-2's alphabet writes every byte as a printable character: those of Latin-1 that are printable stand for
 * themselves, the other bytes, in order, for U+0100 and on.
 */
function byteLevelBytes(): (token: string) => Uint8Array {
  const byteOf = new Map<string, number>();
  const alphabet = new Set(byteLevelAlphabet());
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const itself = String.fromCharCode(byte);
    byteOf.set(alphabet.has(itself) ? itself : String.fromCharCode(next++), byte);
  }
  return (token) => {
    const bytes: number[] = [];
    for (const character of token) {
      const byte = byteOf.get(character);
      // A token with a character outside of the alphabet was put into the vocabulary by hand.
      if (byte === undefined) return Buffer.from(token);
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  };
}

/** WordPiece's mark of a token that continues a word. */
const continuationMark = ({ model }: TokenizerJson): string | undefined =>
  model.type === 'WordPiece' ? (model.continuing_subword_prefix ?? '##') : undefined;

const byteToken = /^<0x([0-9A-F]{2})>$/;

/** SentencePiece's spelling: ▁ for a space, <0xAB> for a byte that has no token of its own. */
function plainBytes(
  byteFallback: boolean,
  metaspace: boolean,
  continuation: string | undefined,
): (token: string) => Uint8Array {
  return (token) => {
    const byte = byteFallback ? byteToken.exec(token) : null;
    if (byte !== null) return Uint8Array.of(Number.parseInt(byte[1], 16));
    if (continuation && token.startsWith(continuation)) return Buffer.from(token.slice(continuation.length));
    return Buffer.from(metaspace ? token.replaceAll('▁', ' ') : token);
  };
}
