import { expect, it } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { refuseBeforeStart } from './refuse-before-start.ts';

function refused(change: (draft: RunConfig) => void = () => {}, ownNats = true): Promise<void> {
  const config = runConfigSchema.parse({
    run: 'demo',
    contextLength: 16,
    corpus: [{ domain: 'speeches', path: 'x.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: 'orator' }],
    target: { model: 'target', source: { address: '127.0.0.1:0' } },
    trainer: { output: 'out', address: '127.0.0.1:0' },
  });
  change(config);
  return refuseBeforeStart(config, ownNats);
}

it('lets through a run on this machine', async () => {
  await refused();
});

it('refuses a teacher without a model', async () => {
  const refusal = refused(({ teachers }) => {
    teachers[0].model = undefined;
  });
  await expect(refusal).rejects.toThrow('The teacher "orator" has no model in the run file: set teachers.0');
});

it.each(Object.entries({ user: { user: 'mesh' }, tls: { tls: {} } }))(
  'refuses nats.%s where nothing says which server',
  async (key, nats) => {
    const change = (draft: RunConfig) => void Object.assign(draft.nats, nats);
    await expect(refused(change)).rejects.toThrow(
      `nats.${key} says how to enter a NATS server, but not which`,
    );
    await refused(change, false);
  },
);

it('refuses plain text beyond this machine, and TLS without a certificate', async () => {
  const open = refused(({ trainer }) => {
    trainer.address = '0.0.0.0:0';
  });
  await expect(open).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('gRPC at 0.0.0.0 would be open to other machines in plain text'),
  });
  const bare = refused(({ security }) => {
    security.tls = { clientCertificates: false };
  });
  await expect(bare).rejects.toThrow('security.tls: what serves needs a certificate and its key');
});
