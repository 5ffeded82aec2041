import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { encodeTextDistribution } from '../../mesh/codec/encode-text-distribution.ts';
import { FinishReason, type TeacherService } from '../../mesh/generated/fusemesh/v1/teacher_pb.ts';
import type { Implementation } from '../../mesh/grpc/implementation.ts';
import type { Generator } from '../../model/generation/generator.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import { watchAttachment } from './run-attachment.ts';
import type { RunAttachments } from './run-attachments.ts';
import { scoredDistribution } from './scored-distribution.ts';
import type { TeacherIdentity } from './teacher-identity.ts';

const tokenizerChunkBytes = 256 * 1024;

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
  scorer: Scorer,
  generator: () => Promise<Generator>,
  attachments: RunAttachments,
): Implementation<typeof TeacherService> {
  const { card, tokenizer } = scorer;
  const { name, run, instance, modelFingerprint } = identity;
  return {
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

    async score({ text, topK }) {
      if (text === '') throw new FuseMeshError('invalid_argument', 'The text is empty; nothing to score.');
      const [scored] = await scorer.score([text], topK);
      const { fingerprint: tokenizerFingerprint } = tokenizer;
      const distribution = scoredDistribution(scored, {
        document: 0,
        teacher: name,
        tokenizerFingerprint,
        topK,
      });
      return { distribution: encodeTextDistribution(distribution, card.vocabularySize) };
    },

    async *generate({ prompt, maxTokens, temperature, topP, stop, seed }, { signal }) {
      const pieces = (await generator()).generate(
        {
          prompt,
          maxTokens: maxTokens || card.contextLength,
          temperature,
          topP: topP || 1,
          stop,
          seed,
        },
        signal,
      );
      for await (const { text, tokens, finishReason } of pieces) {
        yield { text, tokens, finishReason: finishReasons[finishReason ?? 'none'] };
      }
    },

    async attachRun({ run, teacher, topK }) {
      if (run === '' || teacher === '') {
        throw new FuseMeshError('invalid_argument', 'AttachRun needs a run and a teacher name.');
      }
      if (topK < 1 || topK > card.vocabularySize) {
        throw new FuseMeshError('invalid_argument', `top_k is ${topK}; use 1 to ${card.vocabularySize}.`);
      }
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
  };
}
