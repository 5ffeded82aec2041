import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/**
 * Whether a run brings no NATS server with it, so that `up` starts one: neither the file nor the environment
 * nor the command line says where it is.
 */
export async function needsOwnNats(
  path: string,
  overrides: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if (environment['NATS_URL'] || environment['FUSEMESH_NATS__URL']) return false;
  if (overrides.some((pair) => pair.startsWith('nats.url='))) return false;
  const file: { nats?: { url?: unknown } } | null = parse(await readFile(path, 'utf8'));
  return file?.nats?.url === undefined;
}
