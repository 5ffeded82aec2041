import { cast, reshape } from '../graph/expressions.ts';
import { product } from '../graph/shape.ts';
import { appendToLogits } from '../onnx/exported/append-to-logits.ts';
import type { ExportedModel } from '../onnx/exported/read-exported-model.ts';
import { scoringHead } from './scoring-head.ts';

/**
 * An exported model with the inputs and outputs of scoring-graph.ts.
 *
 * @returns bytes of a ModelProto; constants outside of the model's file stay where they are
 */
export const exportedScoringModel = (exported: ExportedModel): Uint8Array =>
  appendToLogits(exported, (logits) => {
    const [batch, length, vocabularySize] = logits.shape;
    return scoringHead(reshape(cast(logits, 'float32'), [product([batch, length]), vocabularySize]));
  });
