import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { contentOf } from '../../../model/chat/conversation.ts';
import { wrongContent } from '../../../wire/codec/document-bytes.ts';
import { encodeTextDistribution } from '../../../wire/codec/encode-text-distribution.ts';
import { TargetService } from '../../../wire/generated/fusemesh/v1/target_pb.ts';
import { FinishReason } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { checked } from '../../../wire/grpc/checked.ts';
import type { Implementation } from '../../../wire/grpc/implementation.ts';
import type { Answers } from '../answers/answers.ts';
import { requestRules } from './request-rules.ts';

const finishReasons = {
  none: FinishReason.UNSPECIFIED,
  stop: FinishReason.STOP,
  length: FinishReason.LENGTH,
} as const;

/** TargetService. @param name of the run */
export function targetService(name: string, answers: Answers): Implementation<typeof TargetService> {
  const { card, encoder } = answers.model;
  const { fingerprint: tokenizerFingerprint } = encoder.tokenizer;
  return checked(TargetService, requestRules(card), {
    async getServedModel() {
      return {
        name,
        weightsStep: BigInt(answers.step),
        family: card.family,
        parameters: BigInt(card.parameters),
        vocabularySize: card.vocabularySize,
        contextLength: card.contextLength,
        tokenizerFingerprint,
        chatFormat: encoder.template.format,
      };
    },

    async *generate({ prompt, turns, tools, maxTokens, topP, minStep, ...sampling }, { signal }) {
      const content = { text: prompt, turns, tools };
      refuse(wrongContent(content));
      const call = answers.call();
      try {
        const request = {
          ...sampling,
          prompt: contentOf(content),
          topP: topP || 1,
          maxTokens: maxTokens || undefined,
          minStep: Number(minStep),
          logProbabilities: 0,
        };
        let logProbability = 0;
        for await (const piece of call.write(request, signal)) {
          const { text, token, tokens, finishReason, version } = piece;
          logProbability += token.logProbability ?? 0;
          yield {
            text,
            tokens,
            finishReason: finishReasons[finishReason ?? 'none'],
            weightsStep: BigInt(version),
            logProbability,
          };
        }
      } finally {
        call.end();
      }
    },

    async score({ topK, topP, ...content }, { signal }) {
      refuse(wrongContent(content));
      const { scored, step } = await answers.score(contentOf(content), topK, signal);
      const distribution = { ...scored, document: 0, teacher: name, tokenizerFingerprint };
      return {
        distribution: encodeTextDistribution(distribution, card.vocabularySize, topP || undefined),
        weightsStep: BigInt(step),
      };
    },
  });
}

function refuse(wrong: string | undefined): void {
  if (wrong) throw new FuseMeshError('invalid_argument', `The request ${wrong}`);
}
