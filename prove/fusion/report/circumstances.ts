import { readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { repository } from '../directories.ts';

/** What a reader needs in order to repeat the measurement, and to know what it was made on. */
export interface Circumstances {
  /** As it was typed. */
  readonly command: string;
  /** Name and version, or name and figure. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export async function circumstancesOf(parameters: readonly string[]): Promise<Circumstances> {
  const version = async (...path: string[]) => {
    const file = await readFile(join(repository, ...path, 'package.json'), 'utf8');
    return (JSON.parse(file) as { version: string }).version;
  };
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  return {
    command: `npm run prove -- fusion ${parameters.join(' ')}`.trim(),
    facts: [
      ['fusemesh', await version()],
      ['Node.js', process.version.slice(1)],
      ['onnxruntime-node', await version('node_modules', 'onnxruntime-node')],
      ['tokenizers', await version('node_modules', 'tokenizers')],
      ['system', `${platform()} ${arch()}`],
      ['CPU', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
      ['memory', `${gibibytes} GiB`],
    ],
  };
}
