import type { TextDistribution } from './text-distribution.ts';

/**
 * Why a teacher's distributions cannot be of this text; undefined where they can.
 *
 * @param distribution one whose spans rise
 */
export function unfitFor(
  { ends, predictedBytes, refusal }: Pick<TextDistribution, 'ends' | 'predictedBytes' | 'refusal'>,
  text: string,
): string | undefined {
  if (refusal !== undefined) return undefined;
  const end = ends[ends.length - 1];
  if (end !== text.length) return `span_lengths end at ${end}, the text at ${text.length}`;
  const bytes = Buffer.byteLength(text);
  if (predictedBytes > bytes) return `predicted_bytes is ${predictedBytes}, the text has ${bytes}`;
  return undefined;
}
