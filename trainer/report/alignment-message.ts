import { create } from '@bufbuild/protobuf';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { LearntDocument } from '../../fusion/batch/assemble-batch.ts';
import { contentText } from '../../model/chat/content-layout.ts';
import { toCodeUnits } from '../../model/tokenizer/code-units.ts';
import type { Spans } from '../../model/tokenizer/spans-from-bytes.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import {
  type GetAlignmentResponse,
  GetAlignmentResponseSchema,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';

/**
 * How the target and the source that taught it cut a batch's document into tokens, and what the target learnt of each
 * next token.
 *
 * @param document of the batch
 * @param step of the batch
 * @param tokenizer the target's
 */
export function alignmentMessage(
  batch: TrainingBatch,
  document: LearntDocument,
  step: number,
  tokenizer: Pick<Tokenizer, 'tokenText'>,
): GetAlignmentResponse {
  const { number, content, tokenization, distribution, begin } = document;
  const text = contentText(content);
  const { rows } = document.align();
  const spansOf = (tokens: Spans) => {
    const { starts, ends } = toCodeUnits(text, tokens);
    return Array.from(ends, (end, i) => ({ begin: starts[i], end }));
  };
  return create(GetAlignmentResponseSchema, {
    document: BigInt(number),
    step: BigInt(step),
    text,
    teacher: distribution.teacher,
    source: spansOf(distribution),
    target: spansOf(tokenization).map((span, i) => ({
      span,
      ...(rows[i] < 0 ? {} : { sourceToken: rows[i] }),
      candidates: candidatesAt(batch, begin + i, tokenizer),
    })),
  });
}

function candidatesAt(
  { candidates, fusedIds, fusedProbabilities }: TrainingBatch,
  row: number,
  tokenizer: Pick<Tokenizer, 'tokenText'>,
) {
  const entries = Array.from({ length: candidates }, (_, i) => row * candidates + i);
  return entries
    .filter((entry) => fusedProbabilities[entry] > 0)
    .map((entry) => ({
      text: tokenizer.tokenText(fusedIds[entry]),
      probability: fusedProbabilities[entry],
    }))
    .sort((a, b) => b.probability - a.probability);
}
