import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { say } from './project.mjs';
import { outputOf, succeeds } from './run.mjs';

const image = 'nats:2.14';

/** True where a Docker daemon answers. */
export const dockerAnswers = () =>
  outputOf('docker', ['info', '--format', '{{.ServerVersion}}']) !== undefined;

/**
 * Runs the official NATS image with JetStream on a free loopback port.
 *
 * @returns {Promise<{url: string, stop: () => void} | undefined>} undefined where it does not come up
 */
export async function startNatsInDocker() {
  say(`Starting ${image} in Docker …`);
  const container =
    outputOf('docker', ['image', 'inspect', image]) !== undefined || succeeds('docker', ['pull', image])
      ? outputOf('docker', ['run', '--detach', '--rm', '--publish', '127.0.0.1::4222', image, '-js'])
      : undefined;
  if (!container) return undefined;
  const stop = () => succeeds('docker', ['stop', '--time', '5', container]);
  for (let attempt = 0; attempt < 50; attempt++) {
    const address = outputOf('docker', ['port', container, '4222/tcp'])?.split('\n')[0];
    if (address && (await greets(address))) return { url: `nats://${address}`, stop };
    await setTimeout(200);
  }
  stop();
  return undefined;
}

/** True where a NATS server greets at HOST:PORT: its first words are INFO {…}. */
function greets(address) {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1000 });
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (bytes) => settle(bytes.toString('utf8').startsWith('INFO ')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => settle(false));
  });
}
