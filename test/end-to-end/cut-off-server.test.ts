import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectNats } from '../../wire/nats/connection.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { KeptProcess } from './kept-process.ts';
import { hasSeparateNetworks, SeparateNetworks } from './separate-networks.ts';

const [port, clusterPort] = [4222, 6222];

async function startCluster(networks: SeparateNetworks): Promise<string> {
  const directory = await temporaryDirectory();
  const program = await findNatsServer();
  const routes = networks.hosts.map((host) => `nats://${host}:${clusterPort}`);
  for (const [machine, host] of networks.hosts.entries()) {
    const file = join(directory, `${machine}.conf`);
    const lines = [
      `server_name: server-${machine}`,
      `listen: "${host}:${port}"`,
      `jetstream { store_dir: ${JSON.stringify(join(directory, `store-${machine}`))} }`,
      `cluster { name: test, listen: "${host}:${clusterPort}", routes: [${routes}] }`,
    ];
    await writeFile(file, lines.join('\n'));
    const server = new KeptProcess(`server-${machine}`, networks.on(machine, [program, '-c', file]), {
      mayEnd: false,
    });
    server.start();
    onTestFinished(() => server.stop());
  }
  return networks.hosts.map((host) => `nats://${host}:${port}`).join(',');
}

/** Servers that have just been started find each other and elect a leader first. */
const onceTogether = <T>(ask: () => Promise<T>): Promise<T> =>
  vi.waitFor(ask, { timeout: 60_000, interval: 100 });

test.skipIf(!(await hasSeparateNetworks()))(
  'who is connected to a server that is cut off from the others goes to one of these',
  { timeout: 120_000 },
  async () => {
    const networks = await SeparateNetworks.open(3);
    onTestFinished(() => networks.close());
    const url = await startCluster(networks);
    const connection = await onceTogether(() => connectNats(url, 'test'));
    onTestFinished(() => connection.close());
    const stream = { name: 'test', subjects: ['test'], num_replicas: 3 };
    await onceTogether(() => connection.manager.streams.add(stream));
    const cutOff = connection.raw.getServer();
    await networks.separate(networks.hosts.indexOf(cutOff.split(':')[0]));
    while (connection.raw.getServer() === cutOff) await sleep(100);
    await expect
      .poll(
        () =>
          connection.jetStream.publish('test').then(
            ({ seq }) => seq,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBeGreaterThan(0);
  },
);
