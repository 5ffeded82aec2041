import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Setting } from './settings.ts';

/** Keys under which people write a secret, and where it belongs instead. */
const places: Readonly<Record<string, string>> = {
  'security.token': 'name a file that holds it in security.tokenFile, or set FUSEMESH_TOKEN',
  'nats.password': 'name a file that holds it in nats.passwordFile, or set NATS_PASSWORD',
  'nats.token': 'name a file that holds it in nats.tokenFile, or set NATS_TOKEN',
  'nats.credentials': 'name the .creds file in nats.credentialsFile',
  'teachers.*.served.apiKey': 'name a file that holds it in served.apiKeyFile',
};
const ofServedUrl = 'leave user and password out of it: served.apiKeyFile names the file of the key';
const ofUrl =
  'leave user, password and token out of it: nats.user and nats.passwordFile or nats.tokenFile have them; ' +
  'only NATS_URL in the environment may hold them';

/**
 * @param source the run file's object
 * @throws FuseMeshError invalid_argument where the file itself holds a secret: it is copied and shown to others
 */
export function refuseSecrets(source: object, path: string): void {
  const keys = [...Object.keys(places), 'nats.url', 'teachers.*.served.url', 'teachers.*.served.urls'];
  const found = keys
    .flatMap((key) => ofEveryTeacher(source, key))
    .map((key) => ({ key, value: valueAt(source, key) }));
  refuse(found, (key) => `${path}: ${key}: a secret does not belong into a run file`);
}

/**
 * @param flags settings of the command line
 * @throws FuseMeshError invalid_argument where one is a secret: every user of a machine sees its command lines
 */
export function refuseSecretSettings(flags: readonly Setting[]): void {
  for (const { keys, value, name } of flags) {
    const found = [{ key: keys.join('.'), value }];
    if (keys.length === 1 && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value ?? {}))
        found.push({ key: `${keys[0]}.${key}`, value: inner });
    }
    refuse(found, () => `${name}: a secret does not belong on a command line, which other users can see`);
  }
}

function refuse(
  found: readonly { readonly key: string; readonly value: unknown }[],
  what: (key: string) => string,
): void {
  for (const { key, value } of found) {
    const instead = insteadOf(key.replace(/^teachers\.\d+\./, 'teachers.*.'), value);
    if (value === undefined || instead === undefined) continue;
    throw new FuseMeshError('invalid_argument', `${what(key)}: ${instead}`);
  }
}

function insteadOf(key: string, value: unknown): string | undefined {
  if (key === 'nats.url') return [value].flat().some(hasUser) ? ofUrl : undefined;
  if (key !== 'teachers.*.served.url' && key !== 'teachers.*.served.urls') return places[key];
  return [value].flat().some(hasUser) ? ofServedUrl : undefined;
}

/** The key, once for each teacher where it is one of theirs. */
function ofEveryTeacher(source: object, key: string): string[] {
  if (!key.includes('*')) return [key];
  const { teachers } = source as { teachers?: unknown };
  return Array.isArray(teachers) ? teachers.map((_, i) => key.replace('*', String(i))) : [];
}

const hasUser = (url: unknown): boolean => typeof url === 'string' && url.includes('@');

function valueAt(source: object, key: string): unknown {
  let value: unknown = source;
  for (const name of key.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
