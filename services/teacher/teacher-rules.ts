import type { ModelCard } from '../../model/scoring/model-card.ts';
import type { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { RequestRules } from '../../wire/grpc/checked.ts';
import { anything, integer, list, name, number, text } from '../../wire/grpc/field-rules.ts';

/**
 * No tokenizer in use has tokens of more bytes; a text that has more a token of the context is refused before it is
 * cut into tokens.
 */
const mostBytesOfToken = 256;
const mostStops = 16;
const mostBytesOfStop = 1024;

/** What TeacherService takes, for one model. */
export function teacherRules({
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
