import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from './schema.ts';

/** An entry of a run's texts. */
type TextOfCorpus = RunConfig['heldOut'][number];

/** Directory of the recording that a run trains from; undefined where its teachers are asked. */
export const recordingOf = ({ corpus }: Pick<RunConfig, 'corpus'>): string | undefined =>
  'recording' in corpus ? corpus.recording : undefined;

/**
 * The texts of a run.
 *
 * @throws FuseMeshError invalid_argument where it trains from a recording of them
 */
export function textsOf({ corpus }: Pick<RunConfig, 'corpus'>): readonly TextOfCorpus[] {
  if (!('recording' in corpus)) return corpus;
  throw new FuseMeshError(
    'invalid_argument',
    `corpus names the recording ${corpus.recording}: it needs no feeder, and no teacher is asked`,
  );
}
