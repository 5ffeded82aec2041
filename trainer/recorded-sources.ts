import { recordingOf } from '../process/config/corpus-of-run.ts';
import { refuseContradictions } from '../process/config/cross-key-rules.ts';
import { type RunConfig, runConfigSchema } from '../process/config/schema.ts';
import { readRecord } from './recording/recording-facts.ts';

/**
 * A run that trains from a recording and names no teachers, with those of the recording. Any other is left as it is.
 *
 * @throws FuseMeshError data_loss where the recording is damaged, invalid_argument where keys do not go with its sources
 */
export async function withRecordedSources(config: RunConfig): Promise<RunConfig> {
  const directory = recordingOf(config);
  if (directory === undefined || config.teachers.length > 0) return config;
  const sources = (await readRecord(directory))?.sources ?? [];
  const teachers = sources
    .filter(({ name }) => name !== config.target.source?.name)
    .map(({ name }) => ({ name, address: '127.0.0.1:0' }));
  const filled = { ...config, teachers: runConfigSchema.shape.teachers.parse(teachers) };
  refuseContradictions(filled, `run ${config.run}`);
  return filled;
}
