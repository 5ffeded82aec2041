import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { CorpusCount } from '../../services/feeder/count-corpus.ts';
import { byteSize, whole } from './words.ts';

/** A model of the run. */
interface Reader {
  readonly name: string;
  readonly tokenizer: Tokenizer;
}

/** Tokens of an example that are shown. */
const shownTokens = 60;

/** What a run would be fed with, in lines: counts, and the examples in the tokens of each model. */
export async function corpusCountText(counted: CorpusCount, readers: readonly Reader[]): Promise<string> {
  const { files, texts, documents, textBytes, skipped, tokens, examples } = counted;
  const width = Math.max(...readers.map(({ name }) => name.length));
  const lines = [
    `${whole(documents)} documents of ${whole(texts)} texts in ${whole(files)} files, ${byteSize(textBytes)}`,
  ];
  if (skipped.count > 0) lines.push(skipped.sentence());
  for (const [i, { name }] of readers.entries()) {
    lines.push(
      `${name.padEnd(width)}  ${whole(tokens[i])} tokens, ${(textBytes / tokens[i]).toFixed(2)} bytes each`,
    );
  }
  for (const { domain, text } of examples) {
    lines.push('', `${domain}, ${whole(text.length)} characters`);
    for (const { name, tokenizer } of readers) {
      lines.push(`${name.padEnd(width)}  ${await tokensOf(text, tokenizer)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The beginning of a text as a model sees it: "Call| me| Ish|mael|.", line breaks as escapes. */
async function tokensOf(text: string, tokenizer: Tokenizer): Promise<string> {
  const { ids, starts, ends } = await tokenizer.encode(text);
  const bytes = Buffer.from(text);
  const shown: string[] = [];
  for (let i = 0; i < Math.min(ids.length, shownTokens); i++) {
    // A special token stands for no text.
    const isSpecial = starts[i] === ends[i];
    shown.push(
      isSpecial ? `<${ids[i]}>` : JSON.stringify(bytes.subarray(starts[i], ends[i]).toString()).slice(1, -1),
    );
  }
  const rest = ids.length - shown.length;
  return `${shown.join('|')}${rest > 0 ? `| … ${rest} more` : ''}`;
}
