import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { finishedRun } from '../reach/finished-run.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { runDisplay } from '../view/display.ts';
import { finishedText } from '../view/finished-text.ts';
import { watchRun } from '../watch/watch-run.ts';

export function addWatch(program: Command): void {
  withRunFile(program.command('watch'))
    .summary('see how a run goes, live')
    .description(
      'Shows a run from any terminal: step and time left, tokens per second of trainer and teachers, who waits for ' +
        'whom, queues and streams, losses, where the time goes, the newest checkpoint. It only looks on. It waits ' +
        'for a trainer that does not answer and goes on when it is back. It ends when the run does: exit code 0 ' +
        'when it has finished, 1 when it has failed. Ctrl-C leaves; the run goes on.\n\n' +
        'Where the run file has a fixed port the trainer may be on any machine. Where it has port 0, ' +
        '`fusemesh up` says in OUTPUT/processes.json which port it is.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh up examples/demo.yaml      # in one terminal\n' +
        '  $ fusemesh watch examples/demo.yaml   # in another',
    )
    .action((path: string, options: RunFileOptions) =>
      runUntilStopped(async (signal) => watch(await readRunFile(path, options), signal)),
    );
}

async function watch(config: RunConfig, signal: AbortSignal): Promise<void> {
  const display = runDisplay(process.stdout);
  try {
    const end = await watchRun(config, display, signal);
    display.end();
    if (end === 'failed') {
      throw new FuseMeshError(
        'failed_precondition',
        `Run ${config.run} has failed: the trainer's log says why.`,
      );
    }
    if (end === undefined) return;
    const stored = await finishedRun(config);
    process.stdout.write(stored ? `${finishedText(config, stored)}\n` : `Run ${config.run} has finished.\n`);
  } finally {
    display.end();
  }
}
