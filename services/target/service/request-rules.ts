import type { ModelCard } from '../../../model/scoring/model-card.ts';
import type { TargetService } from '../../../wire/generated/fusemesh/v1/target_pb.ts';
import type { RequestRules } from '../../../wire/grpc/checked.ts';
import { anything, bytes, integer, number } from '../../../wire/grpc/field-rules.ts';
import { mostBytesOf, stops, turns } from '../../calls/content-rules.ts';

/** What the requests of TargetService may hold, for one model. The service itself looks whether it is one of text and turns. */
export function requestRules(card: ModelCard): RequestRules<typeof TargetService> {
  const mostBytes = mostBytesOf(card);
  return {
    getServedModel: {},
    generate: {
      prompt: bytes({ most: mostBytes }),
      turns: turns({ mostBytes }),
      tools: bytes({ most: mostBytes }),
      // The context ends a text in any case.
      maxTokens: anything,
      temperature: number(0),
      topP: number(0, 1),
      stop: stops,
      seed: anything,
      minStep: integer(0, Number.MAX_SAFE_INTEGER),
    },
    score: {
      text: bytes({ most: mostBytes }),
      topK: integer(1, card.vocabularySize),
      topP: number(0, 1),
      turns: turns({ mostBytes }),
      tools: bytes({ most: mostBytes }),
    },
  };
}
