import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

const programs = ['buildah', 'debootstrap', 'unshare', 'npm'];

/** @throws FuseMeshError failed_precondition where something is missing that the proof cannot do without */
export async function requireRoot(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new FuseMeshError('failed_precondition', 'The image is built and run as root of a Linux machine.');
  }
  const found = await Promise.all(programs.map(isInstalled));
  const missing = programs.filter((_, i) => !found[i]);
  if (missing.length > 0) {
    const what = missing.join(', ');
    throw new FuseMeshError(
      'failed_precondition',
      `The image cannot be built: ${what} is missing: apt-get install buildah debootstrap util-linux`,
    );
  }
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = await Promise.allSettled(
    folders.map((folder) => access(join(folder, program), constants.X_OK)),
  );
  return found.some(({ status }) => status === 'fulfilled');
}
