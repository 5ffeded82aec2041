import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { contentOf } from '../../../model/chat/conversation.ts';
import { wrongContent } from '../../../wire/codec/document-bytes.ts';
import { encodeTextDistribution } from '../../../wire/codec/encode-text-distribution.ts';
import { FinishReason, TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { checked } from '../../../wire/grpc/checked.ts';
import type { Implementation } from '../../../wire/grpc/implementation.ts';
import { watchAttachment } from '../attachment/run-attachment.ts';
import type { RunAttachments } from '../attachment/run-attachments.ts';
import type { TeacherIdentity } from '../teacher-identity.ts';
import { isRefused, type TeacherModel } from '../teacher-model.ts';
import { requestRules } from './request-rules.ts';
import { callsLane, type TeacherCalls, teacherCalls } from './teacher-calls.ts';

const tokenizerChunkBytes = 256 * 1024;

const finishReasons = {
  none: FinishReason.UNSPECIFIED,
  stop: FinishReason.STOP,
  length: FinishReason.LENGTH,
} as const;

/** TeacherService over a model. @param calls left out, it shares its bounds with no other protocol */
export function teacherService(
  { name, run, instance }: TeacherIdentity,
  model: TeacherModel,
  attachments: RunAttachments,
  { scores, generations }: TeacherCalls = teacherCalls(),
): Implementation<typeof TeacherService> {
  const { card, tokenizer } = model;
  return checked(TeacherService, requestRules(card), {
    async getModelCard() {
      return {
        name,
        run,
        instance,
        family: card.family,
        parameters: BigInt(card.parameters),
        vocabularySize: card.vocabularySize,
        contextLength: card.contextLength,
        tokenizerFingerprint: tokenizer.fingerprint,
        modelFingerprint: model.fingerprint,
        chatFormat: model.template.format,
        probeLogProbabilities: [...(model.probe?.values ?? [])],
        serverVersion: model.probe?.version ?? '',
      };
    },

    async *getTokenizer() {
      const { json } = tokenizer;
      for (let begin = 0; begin < json.length; begin += tokenizerChunkBytes) {
        yield { chunk: json.subarray(begin, begin + tokenizerChunkBytes) };
      }
    },

    async score({ topK, topP, ...content }, { signal }) {
      const wrong = wrongContent(content);
      if (wrong) throw new FuseMeshError('invalid_argument', `The request ${wrong}`);
      const leave = scores.take();
      try {
        const [outcome] = await model.score([contentOf(content)], topK, { lane: callsLane, signal });
        if (isRefused(outcome)) throw new FuseMeshError('invalid_argument', outcome.refusal);
        const { fingerprint: tokenizerFingerprint } = tokenizer;
        const distribution = { ...outcome, document: 0, teacher: name, tokenizerFingerprint };
        return { distribution: encodeTextDistribution(distribution, card.vocabularySize, topP || undefined) };
      } finally {
        leave();
      }
    },

    async *generate({ maxTokens, topP, ...request }, { signal }) {
      if (model.generate === undefined) {
        throw new FuseMeshError(
          'unimplemented',
          `The model of teacher ${name} scores texts and does not generate any: ask another teacher.`,
        );
      }
      const leave = generations.take();
      try {
        const pieces = model.generate(
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

    async attachRun({ run, teacher, topK, topP }) {
      await attachments.attach({ run, teacher, topK, topP: topP || undefined });
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
