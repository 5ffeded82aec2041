import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { dockerAnswers, startNatsInDocker } from './nats-docker.mjs';
import { installNatsRelease, releaseBinary } from './nats-release.mjs';
import { SetUpError, say } from './project.mjs';
import { outputOf, succeeds } from './run.mjs';

/**
 * Makes NATS available to the command that follows: a server that runs already (NATS_URL), a binary on this
 * machine, or else one that is installed now by the first way there is.
 *
 * @returns {Promise<{environment: Record<string, string>, stop: () => void}>} what to add to the environment
 */
export async function findNats() {
  if (process.env.NATS_URL) return { environment: {}, stop() {} };
  const binary = findBinary() ?? (await installBinary());
  if (binary) return { environment: { NATS_SERVER: binary }, stop() {} };
  const container = dockerAnswers() ? await startNatsInDocker() : undefined;
  if (container) return { environment: { NATS_URL: container.url }, stop: container.stop };
  if (await installNatsRelease()) return { environment: { NATS_SERVER: releaseBinary }, stop() {} };
  throw new SetUpError(
    'NATS is missing: install nats-server (https://docs.nats.io/running-a-nats-service/introduction/installation) or set NATS_URL to a server with JetStream.',
  );
}

function findBinary() {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/bin',
  ];
  return [
    process.env.NATS_SERVER,
    ...folders.map((folder) => join(folder, 'nats-server')),
    releaseBinary,
  ].find((path) => path && isExecutable(path));
}

/** apt or Homebrew, where they can work without a question to the user. */
async function installBinary() {
  if (outputOf('apt-get', ['--version']) !== undefined) {
    const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    if (asRoot.length === 0 || outputOf('sudo', ['-n', 'true']) !== undefined) {
      say('Installing nats-server with apt …');
      const apt = (...parameters) => {
        const [command, ...rest] = [
          ...asRoot,
          'env',
          'DEBIAN_FRONTEND=noninteractive',
          'apt-get',
          ...parameters,
        ];
        return succeeds(command, rest);
      };
      if (apt('update', '-qq') && apt('install', '-y', '-qq', 'nats-server')) return findBinary();
    }
  } else if (outputOf('brew', ['--version']) !== undefined) {
    say('Installing nats-server with Homebrew …');
    if (succeeds('brew', ['install', 'nats-server'])) return findBinary();
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
