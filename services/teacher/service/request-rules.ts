import type { ModelCard } from '../../../model/scoring/model-card.ts';
import type { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { RequestRules } from '../../../wire/grpc/checked.ts';
import { anything, bytes, integer, name, number, text } from '../../../wire/grpc/field-rules.ts';
import { mostBytesOf, stops, turns } from '../../calls/content-rules.ts';

/** What the requests of TeacherService may hold, for one model. */
export function requestRules(card: ModelCard): RequestRules<typeof TeacherService> {
  const mostBytes = mostBytesOf(card);
  const topK = integer(1, card.vocabularySize);
  return {
    getModelCard: {},
    getTokenizer: {},
    // The service itself looks whether it is one of text and turns.
    score: {
      text: bytes({ most: mostBytes }),
      topK,
      topP: number(0, 1),
      turns: turns({ mostBytes }),
      tools: bytes({ most: mostBytes }),
    },
    generate: {
      prompt: text({ mostBytes }),
      // The context ends a text in any case.
      maxTokens: anything,
      temperature: number(0),
      topP: number(0, 1),
      stop: stops,
      seed: anything,
    },
    attachRun: { run: name, teacher: name, topK, topP: number(0, 1) },
    detachRun: { run: name },
    watchRun: { run: name },
  };
}
