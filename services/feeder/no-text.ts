import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { SkippedRows } from '../../texts/skipped-rows.ts';

/** Of a corpus that makes no document. */
export const noText = (skipped: SkippedRows): FuseMeshError =>
  nothing('The corpus has no text: no file that corpus names has any.', skipped);

/** Of prompts that are none. */
export const noPrompt = (skipped: SkippedRows): FuseMeshError =>
  nothing('There is no prompt: no file that onPolicy.prompts names has any.', skipped);

function nothing(what: string, skipped: SkippedRows): FuseMeshError {
  const why = skipped.count > 0 ? ` ${skipped.sentence()}.` : '';
  return new FuseMeshError('invalid_argument', `${what}${why}`);
}
