import { findNats } from './find-nats.mjs';
import { installDependencies } from './install-dependencies.mjs';
import { SetUpError, say } from './project.mjs';

const oldestNode = [20, 20];

/**
 * Sets this machine up for a command, runs it and ends the process with its exit code.
 *
 * @param {{nats: boolean}} needs whether the command talks to NATS
 * @param {(environment: NodeJS.ProcessEnv) => Promise<number>} command gives its exit code
 */
export async function withSetUp({ nats }, command) {
  let stop = () => {};
  try {
    requireNode();
    installDependencies();
    const found = nats ? await findNats() : { environment: {}, stop };
    stop = found.stop;
    process.exitCode = await command({ ...process.env, ...found.environment });
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(`fusemesh: ${error.message}`);
    process.exitCode = 1;
  } finally {
    stop();
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new SetUpError(
    `Node ${process.versions.node} is too old: install Node ${oldestNode.join('.')} or newer.`,
  );
}
