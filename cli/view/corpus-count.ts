import colors from 'picocolors';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content, Conversation } from '../../model/chat/conversation.ts';
import { learnt } from '../../model/chat/learning.ts';
import type { CorpusCount } from '../../services/feeder/count-corpus.ts';
import { byteSize, whole } from './words.ts';

/** A model of the run. */
interface Reader {
  readonly name: string;
  readonly encoder: ContentEncoder;
}

/** Tokens of an example that are shown, of a text and of a conversation. */
const shownTokens = { text: 60, conversation: 200 };

type Paint = Pick<typeof colors, 'green'>;

/**
 * What a run would be fed with, in lines: counts, and the examples as each model sees them. What is learnt of a
 * conversation is green where the terminal has colours.
 */
export async function corpusCountText(
  counted: CorpusCount,
  readers: readonly Reader[],
  paint: Paint = colors,
): Promise<string> {
  const { files, texts, documents, textBytes, skipped, tokens, examples } = counted;
  const width = Math.max(...readers.map(({ name }) => name.length));
  const lines = [
    `${whole(documents)} documents of ${whole(texts)} texts in ${whole(files)} files, ${byteSize(textBytes)}`,
  ];
  if (skipped.count > 0) lines.push(skipped.sentence());
  for (const [i, { name }] of readers.entries()) {
    const learntTokens = counted.learnt[i];
    const ofThem = learntTokens === tokens[i] ? '' : `; ${whole(learntTokens)} of them are learnt`;
    lines.push(
      `${name.padEnd(width)}  ${whole(tokens[i])} tokens, ${(textBytes / tokens[i]).toFixed(2)} bytes each${ofThem}`,
    );
  }
  for (const { domain, content } of examples) {
    lines.push('', `${domain}, ${sizeOf(content)}`);
    for (const { name, encoder } of readers) {
      lines.push(`${name.padEnd(width)}  ${await tokensOf(content, encoder, paint)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function sizeOf(content: Content): string {
  if (typeof content === 'string') return `${whole(content.length)} characters`;
  const speakers = content.turns.map(({ role }) => role || 'text');
  return `${whole(speakers.length)} turns: ${speakers.join(', ')}`;
}

async function tokensOf(content: Content, encoder: ContentEncoder, paint: Paint): Promise<string> {
  return typeof content === 'string'
    ? tokensOfText(content, encoder)
    : tokensOfTurns(content, encoder, paint);
}

/** The beginning of a text as a model sees it: "Call| me| Ish|mael|.", line breaks as escapes. */
async function tokensOfText(text: string, encoder: ContentEncoder): Promise<string> {
  const [{ ids, starts, ends }] = await encoder.encodeBatch([text]);
  const bytes = Buffer.from(text);
  const shown: string[] = [];
  for (let i = 0; i < Math.min(ids.length, shownTokens.text); i++) {
    // A special token stands for no text.
    const isSpecial = starts[i] === ends[i];
    shown.push(isSpecial ? `<${ids[i]}>` : escaped(bytes.subarray(starts[i], ends[i]).toString()));
  }
  return withRest(shown, ids.length);
}

/** The beginning of a conversation as a model sees it, with all that its template puts around what is said. */
async function tokensOfTurns(
  conversation: Conversation,
  encoder: ContentEncoder,
  paint: Paint,
): Promise<string> {
  const [tokenization] = await encoder.encodeBatch([conversation]);
  const { ids } = tokenization;
  const mask = learnt(conversation, tokenization);
  const shown: string[] = [];
  for (let i = 0; i < Math.min(ids.length, shownTokens.conversation); i++) {
    const text = escaped(encoder.tokenizer.tokenText(ids[i]));
    shown.push(mask?.[i] === 1 ? paint.green(text) : text);
  }
  return withRest(shown, ids.length);
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

function withRest(shown: readonly string[], tokens: number): string {
  const rest = tokens - shown.length;
  return `${shown.join('|')}${rest > 0 ? `| … ${rest} more` : ''}`;
}
