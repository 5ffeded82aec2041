import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { findTrainers } from '../../wire/discovery/find.ts';
import { listRuns } from '../../wire/nats/list-runs.ts';
import { heldRunsTable } from '../nats/held-runs.ts';
import { type NatsOptions, natsOfCommand, overNats, withNats } from '../nats/nats-of-command.ts';

interface RunsOptions extends NatsOptions {
  readonly json?: true;
}

export function addRuns(program: Command): void {
  withNats(program.command('runs').argument('[RUN.yaml]', 'a run file, for its NATS server'))
    .option('--json', 'print one JSON list, an object a run; "trainer" is there where one answers')
    .summary('which runs a NATS server holds')
    .description(
      'Lists the runs that have streams on a NATS server: documents published, distributions of each teacher that ' +
        'no checkpoint covers yet, bytes on disk, dead letters, age, the last message, and what the trainer does if ' +
        'one is alive. A run whose trainer has finished is there until `fusemesh remove` takes it away.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh runs --nats nats://127.0.0.1:4222\n' +
        "  $ fusemesh runs run.yaml --json | jq -r '.[] | select(.trainer == null) | .run'",
    )
    .action((path: string | undefined, options: RunsOptions) =>
      runUntilStopped(async () => {
        const { where } = await natsOfCommand(path, options);
        const { runs, shown } = await overNats(where, 'runs', async (connection) => {
          const [held, trainers] = await Promise.all([listRuns(connection), findTrainers(connection)]);
          const trainerOf = (run: string) => trainers.find((one) => one.run === run);
          return {
            runs: held.map((run) => ({ ...run, trainer: trainerOf(run.run) })),
            shown: connection.url,
          };
        });
        const lines = options.json
          ? [JSON.stringify(runs)]
          : runs.length === 0
            ? [`There is no run on ${shown}.`]
            : heldRunsTable(runs, new Date());
        process.stdout.write(`${lines.join('\n')}\n`);
      }),
    );
}
