import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { CorpusManifest } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { Source } from './intake/sources/source.ts';
import { factsOf } from './recording/record-of-document.ts';
import { RecordingWriter } from './recording/recording-writer.ts';

/** Where a live run keeps what it heard in its first pass, for the later ones. */
export const keptDirectory = ({ trainer }: Pick<RunConfig, 'trainer'>): string =>
  join(trainer.output, 'heard');

/** Documents after which the size of the whole is judged. */
const judgedAfter = 64;
/** How far beyond the bound the judged size may be: documents differ. */
const judgedWithin = 1.25;

/**
 * Opens what a live run keeps of its first pass.
 *
 * @param from the first document that is still to be trained on; what was kept of it and later ones is heard again
 * @throws FuseMeshError failed_precondition where earlier ones are not there
 */
export async function openKeptRecording(
  config: RunConfig,
  { manifest, sources, from }: { manifest: CorpusManifest; sources: readonly Source[]; from: number },
): Promise<RecordingWriter> {
  const directory = keptDirectory(config);
  if (from === 0) await rm(directory, { recursive: true, force: true });
  return RecordingWriter.open(directory, {
    facts: factsOf(manifest, config),
    sources: sources.map(({ name }) => name),
    from,
  });
}

/**
 * Refuses what takes more room than it may, as early as that shows.
 *
 * @param most bytes
 * @throws FuseMeshError resource_exhausted
 */
export function refuseTooLarge(
  { appended, bytes, facts: { documents } }: Pick<RecordingWriter, 'appended' | 'bytes' | 'facts'>,
  most: number,
): void {
  const whole = (bytes / appended) * documents;
  const isJudged = appended >= judgedAfter && whole > judgedWithin * most;
  if (bytes <= most && !isJudged) return;
  throw new FuseMeshError(
    'resource_exhausted',
    `What the teachers say about ${appended} of ${documents} documents takes ${bytes} bytes, all of it about ` +
      `${Math.ceil(whole)}; trainer.recordingBytes is ${most}: raise it, lower topK, or set trainer.epochs: 1.`,
  );
}
