import type { ModelCard } from '../../../model/scoring/model-card.ts';
import type { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { RequestRules } from '../../../wire/grpc/checked.ts';
import { anything, integer, list, name, number, text } from '../../../wire/grpc/field-rules.ts';

/**
 * No tokenizer in use has longer tokens. A text with more bytes than this for every token of the context is refused
 * before it is tokenized.
 */
const mostBytesOfToken = 256;
const mostStops = 16;
const mostBytesOfStop = 1024;

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
    score: { text: text({ mostBytes }), topK },
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
