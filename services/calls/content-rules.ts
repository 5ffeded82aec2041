import { mostTurns } from '../../wire/codec/document-bytes.ts';
import type { Turn } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { bytes, type FieldRule, list, text } from '../../wire/grpc/field-rules.ts';

/**
 * No tokenizer in use has longer tokens. A text with more bytes than this for every token of the context is refused
 * before it is tokenized.
 */
const mostBytesOfToken = 256;
const mostStops = 16;
const mostBytesOfStop = 1024;

/** Most bytes of what a model of this context is given to read. */
export const mostBytesOf = ({ contextLength }: { readonly contextLength: number }): number =>
  contextLength * mostBytesOfToken;

/** Turns as many as a document's, and all together no longer than a text. */
export const turns =
  ({ mostBytes: most }: { readonly mostBytes: number }): FieldRule<readonly Turn[]> =>
  (values) => {
    if (values.length > mostTurns) return `has ${values.length} turns; at most ${mostTurns} are taken`;
    return bytes({ most })(values.map(({ role, content, extras }) => role + content + extras).join(''));
  };

/** Strings that end a text. */
export const stops: FieldRule<readonly string[]> = list(text({ mostBytes: mostBytesOfStop }), {
  most: mostStops,
});
