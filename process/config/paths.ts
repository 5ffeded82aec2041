import { resolve } from 'node:path';

/** Where a run file has paths; * stands for every item of a list. */
const pathKeys = [
  ...['corpus.*.path', 'heldOut.*.path', 'teachers.*.model', 'target.model', 'trainer.output'],
  ...['security.tls.certificate', 'security.tls.key', 'security.tls.ca', 'security.tokenFile'],
  ...['nats.passwordFile', 'nats.tokenFile', 'nats.credentialsFile'],
  ...['nats.tls.ca', 'nats.tls.certificate', 'nats.tls.key'],
];

/** Makes the relative paths of a run file's object absolute, in place; what is not there or no text is left. */
export function makePathsAbsolute(source: object, base: string): void {
  for (const key of pathKeys) visit(source, key.split('.'), base);
}

function visit(container: unknown, [key, ...rest]: readonly string[], base: string): void {
  if (typeof container !== 'object' || container === null) return;
  const values = container as Record<string, unknown>;
  for (const name of key === '*' ? Object.keys(values) : [key]) {
    const value = values[name];
    if (rest.length > 0) visit(value, rest, base);
    else if (typeof value === 'string') values[name] = resolve(base, value);
  }
}
