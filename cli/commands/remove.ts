import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import type { RunOnNats } from '../../wire/nats/list-runs.ts';
import { type NatsOptions, natsOfCommand, overNats, withNats } from '../nats/nats-of-command.ts';
import { removableRun, removeRun } from '../nats/remove-run.ts';
import { byteSize, whole } from '../view/words.ts';

interface RemoveOptions extends NatsOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function addRemove(program: Command): void {
  withNats(program.command('remove').argument('<RUN>', 'the name of a run, or its run file (…yaml)'))
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .option('--force', 'remove it though its trainer is alive')
    .summary('remove what NATS holds of a run')
    .description(
      'Removes the streams of a run, with its documents, distributions, dead letters and consumers, from a NATS ' +
        'server. Its teachers leave it first. Other runs are not touched, and neither is anything in the output ' +
        'directory: `fusemesh up --fresh` forgets that too. It refuses while the trainer of the run is alive.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh remove demo --nats nats://127.0.0.1:4222\n  $ fusemesh remove run.yaml --yes',
    )
    .action((named: string, options: RemoveOptions) =>
      runUntilStopped(async (signal) => {
        const path = /\.ya?ml$/.test(named) ? named : undefined;
        const { where, config } = await natsOfCommand(path, options);
        await overNats(where, 'remove', (connection) =>
          remove(connection, config?.run ?? named, { ...options, security: config?.security }, signal),
        );
      }),
    );
}

async function remove(
  connection: NatsConnection,
  run: string,
  { yes = false, force = false, security }: RemoveOptions & { security: RunConfig['security'] | undefined },
  signal: AbortSignal,
): Promise<void> {
  const held = await removableRun(connection, run, { force });
  const what = `run ${run} (${contentsText(held)}) from ${connection.url}`;
  if (!(await confirm(`Remove ${what}?`, yes, signal))) {
    process.stderr.write('Nothing is removed.\n');
    process.exitCode = 1;
    return;
  }
  for (const line of await removeRun(connection, run, security)) process.stderr.write(`${line}\n`);
  process.stdout.write(`Removed ${what}.\n`);
}

function contentsText({ documentsHeld, distributionsHeld, bytes }: RunOnNats): string {
  const distributions = Object.values(distributionsHeld).reduce((sum, held) => sum + held, 0);
  return `${whole(documentsHeld)} documents, ${whole(distributions)} distributions, ${byteSize(bytes)}`;
}

/**
 * Asks a person on the terminal; every answer but a clear yes is a no.
 *
 * @param yes whether the command line has said so already
 * @throws FuseMeshError invalid_argument where nobody sits at a terminal
 */
async function confirm(question: string, yes: boolean, signal: AbortSignal): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    throw new FuseMeshError('invalid_argument', `${question} Nobody can be asked here: add --yes.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
