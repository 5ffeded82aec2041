import type { ModelCard } from '../../../model/scoring/model-card.ts';
import { mostTurns } from '../../../wire/codec/document-bytes.ts';
import type { Turn } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { RequestRules } from '../../../wire/grpc/checked.ts';
import type { FieldRule } from '../../../wire/grpc/field-rules.ts';
import { anything, bytes, integer, list, name, number, text } from '../../../wire/grpc/field-rules.ts';

/**
 * No tokenizer in use has longer tokens. A text with more bytes than this for every token of the context is refused
 * before it is tokenized.
 */
const mostBytesOfToken = 256;
const mostStops = 16;
const mostBytesOfStop = 1024;

/** Turns as many as a document's, and all together no longer than a text. */
const turns =
  ({ mostBytes: most }: { readonly mostBytes: number }): FieldRule<readonly Turn[]> =>
  (values) => {
    if (values.length > mostTurns) return `has ${values.length} turns; at most ${mostTurns} are taken`;
    return bytes({ most })(values.map(({ role, content, extras }) => role + content + extras).join(''));
  };

/** What the requests of TeacherService may hold, for one model. */
export function requestRules({
  contextLength,
  vocabularySize,
}: ModelCard): RequestRules<typeof TeacherService> {
  const mostBytes = contextLength * mostBytesOfToken;
  const topK = integer(1, vocabularySize);
  return {
    getModelCard: {},
    getTokenizer: {},
    // The service itself looks whether it is one of text and turns.
    score: {
      text: bytes({ most: mostBytes }),
      topK,
      turns: turns({ mostBytes }),
      tools: bytes({ most: mostBytes }),
    },
    generate: {
      prompt: text({ mostBytes }),
      // The context ends a text in any case.
      maxTokens: anything,
      temperature: number(0),
      topP: number(0, 1),
      stop: list(text({ mostBytes: mostBytesOfStop }), { most: mostStops }),
      seed: anything,
    },
    attachRun: { run: name, teacher: name, topK },
    detachRun: { run: name },
    watchRun: { run: name },
  };
}
