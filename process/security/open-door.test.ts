import { describe, expect, it } from 'vitest';
import { createLog } from '../log/log.ts';
import { checkDoor } from './open-door.ts';
import type { SecuritySettings } from './service-security.ts';

const refused = { code: 'failed_precondition' };
/** What the log warns of, for one host. */
async function warnings(host: string, security: SecuritySettings): Promise<string[]> {
  const warned: string[] = [];
  const log = createLog('test', { level: 'silent' });
  log.warn = (...parameters: unknown[]) => warned.push(String(parameters[1]));
  await checkDoor({ what: 'gRPC', host }, security, log);
  return warned;
}

describe('a service', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost'])(
    'may listen on %s as it is',
    async (host) => {
      expect(await warnings(host, { insecure: false })).toEqual([]);
    },
  );

  it.each(['0.0.0.0', '::', '10.0.0.1', '2001:db8::1', '::ffff:10.0.0.1', '192.168.1.7'])(
    'does not start on %s in plain text, and says both ways out',
    async (host) => {
      const starting = warnings(host, { insecure: false });
      await expect(starting).rejects.toMatchObject(refused);
      await expect(starting).rejects.toThrow(/ set security\.tls, or security\.insecure: true on /);
      expect(await warnings(host, { insecure: true })).toEqual([
        expect.stringContaining('is plain text'),
        expect.stringContaining('lets in whoever reaches it'),
      ]);
      const tls = { clientCertificates: true };
      expect(await warnings(host, { insecure: false, tls })).toEqual([]);
      expect(await warnings(host, { insecure: false, tls: { clientCertificates: false } })).toEqual([
        expect.stringContaining('set security.tokenFile or security.tls.clientCertificates'),
      ]);
    },
  );

  it('goes by the addresses of a name', async () => {
    // Names for Node.js, which the resolver knows without a network: 10.0.0.1 and 127.0.0.1.
    await expect(warnings('10.1', { insecure: false })).rejects.toMatchObject(refused);
    expect(await warnings('127.1', { insecure: false })).toEqual([]);
    // What cannot be resolved cannot be listened on: the attempt says so.
    expect(await warnings('no-such-host.invalid', { insecure: false })).toEqual([]);
  });
});
