import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { type Implementation, implement } from '../../wire/grpc/implementation.ts';
import { serve } from '../../wire/grpc/serve.ts';

const text = readFileSync(fileURLToPath(new URL('../../SECURITY.md', import.meta.url)), 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)![1];
const directory = mkdtempSync(join(tmpdir(), 'fusemesh-security-document-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the five commands of SECURITY.md make what a run with its settings needs', async () => {
  const commands = block('sh').trim().split('\n');
  expect(commands).toHaveLength(5);
  for (const command of commands) execFileSync('sh', ['-c', command], { cwd: directory, stdio: 'pipe' });
  const shown = runConfigSchema.shape.security.parse(parse(block('yaml')).security);
  const at = (path: string | undefined) => join(directory, String(path).replace('tls/', ''));
  const { ca, certificate, key, clientCertificates } = shown.tls!;
  const security = {
    insecure: false,
    tokenFile: at(shown.tokenFile),
    tls: { ca: at(ca), certificate: at(certificate), key: at(key), clientCertificates },
  };
  const implementation = { getStatus: async () => ({ run: 'secured' }) } as unknown;
  const service = implement(TrainerService, implementation as Implementation<typeof TrainerService>);
  const log = createLog('test', { level: 'silent' });
  const server = await serve({ address: '127.0.0.1:0', services: [service], log, security });
  const client = createClient(TrainerService, server.address, security);
  expect((await client.getStatus({})).run).toBe('secured');
  client.close();
  await server.stop();
});

test('its settings for NATS are keys of the run file', () => {
  expect(runConfigSchema.shape.nats.parse(parse(block('yaml')).nats)).toMatchObject({ user: 'mesh' });
});
