import type { Generator } from '../../model/generation/generator.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import { encodeTextDistribution } from '../../wire/codec/encode-text-distribution.ts';
import { FinishReason, TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { checked } from '../../wire/grpc/checked.ts';
import type { Implementation } from '../../wire/grpc/implementation.ts';
import { Places } from './places.ts';
import { watchAttachment } from './run-attachment.ts';
import type { RunAttachments } from './run-attachments.ts';
import { scoredDistribution } from './scored-distribution.ts';
import type { TeacherIdentity } from './teacher-identity.ts';
import { teacherRules } from './teacher-rules.ts';

const tokenizerChunkBytes = 256 * 1024;

/** Texts of Score in hand, in the queue included: some seconds of work, some megabytes. */
export const mostScores = 64;
/** Texts of Generate that grow at a time; each holds keys and values of its context. */
export const mostGenerations = 16;
/** Calls of Score wait in one lane, so that each run has its turn between two of them. */
const lane = 'calls';

const finishReasons = {
  none: FinishReason.UNSPECIFIED,
  stop: FinishReason.STOP,
  length: FinishReason.LENGTH,
} as const;

/**
 * TeacherService over a loaded model.
 *
 * @param generator loads the model for generation when it is asked for first
 */
export function teacherService(
  identity: TeacherIdentity,
  scorer: Pick<Scorer, 'score' | 'tokenizer' | 'card'>,
  generator: () => Promise<Pick<Generator, 'generate'>>,
  attachments: RunAttachments,
): Implementation<typeof TeacherService> {
  const { card, tokenizer } = scorer;
  const { name, run, instance, modelFingerprint } = identity;
  const scores = new Places(mostScores, 'texts to score');
  const generations = new Places(mostGenerations, 'texts to generate');
  return checked(TeacherService, teacherRules(card), {
    async getModelCard() {
      return {
        ...{ name, run, instance, modelFingerprint },
        family: card.family,
        parameters: BigInt(card.parameters),
        vocabularySize: card.vocabularySize,
        contextLength: card.contextLength,
        tokenizerFingerprint: tokenizer.fingerprint,
      };
    },

    async *getTokenizer() {
      const { json } = tokenizer;
      for (let begin = 0; begin < json.length; begin += tokenizerChunkBytes) {
        yield { chunk: json.subarray(begin, begin + tokenizerChunkBytes) };
      }
    },

    async score({ text, topK }, { signal }) {
      const leave = scores.take();
      try {
        const [scored] = await scorer.score([text], topK, { lane, signal });
        const { fingerprint: tokenizerFingerprint } = tokenizer;
        const distribution = scoredDistribution(scored, {
          document: 0,
          teacher: name,
          tokenizerFingerprint,
          topK,
        });
        return { distribution: encodeTextDistribution(distribution, card.vocabularySize) };
      } finally {
        leave();
      }
    },

    async *generate({ maxTokens, topP, ...request }, { signal }) {
      const leave = generations.take();
      try {
        const pieces = (await generator()).generate(
          { ...request, maxTokens: maxTokens || card.contextLength, topP: topP || 1 },
          signal,
        );
        for await (const { text, tokens, finishReason } of pieces) {
          yield { text, tokens, finishReason: finishReasons[finishReason ?? 'none'] };
        }
      } finally {
        leave();
      }
    },

    async attachRun({ run, teacher, topK }) {
      await attachments.attach({ run, teacher, topK });
      return {};
    },

    async detachRun({ run }) {
      const attachment = await attachments.attached(run);
      await attachment.detach();
      return {};
    },

    async *watchRun({ run }, { signal }) {
      const attachment = await attachments.attached(run);
      for await (const status of watchAttachment(attachment, signal)) yield { status };
    },
  });
}
