import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';

/** What a token stands for; some are a part of a character only. */
interface TokenBytes {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** A token as OpenAI's log-probabilities show it: its text, or its bytes ("bytes:\xe2\x82") where it is none alone. */
export function tokenText({ id, bytes }: TokenBytes, tokenizer: Tokenizer): string {
  if (bytes.length === 0) return tokenizer.tokenString(id) ?? '';
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.includes('\uFFFD') || Buffer.from(text).equals(bytes)) return text;
  return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
}
