import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { SkippedRows } from '../../texts/skipped-rows.ts';

/** Of a corpus that makes no document. */
export function noText(skipped: SkippedRows): FuseMeshError {
  const why = skipped.count > 0 ? ` ${skipped.sentence()}.` : '';
  return new FuseMeshError(
    'invalid_argument',
    `The corpus has no text: no file that corpus names has any.${why}`,
  );
}
