import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { findTeachers } from '../../wire/discovery/find.ts';
import { foundTeachersTable } from '../nats/found-teachers.ts';
import { type NatsOptions, natsOfCommand, overNats, withNats } from '../nats/nats-of-command.ts';

interface TeachersOptions extends NatsOptions {
  readonly json?: true;
}

export function addTeachers(program: Command): void {
  withNats(program.command('teachers').argument('[RUN.yaml]', 'a run file, for its NATS server'))
    .option('--json', 'print one JSON list, an object a process')
    .summary('which teachers are alive')
    .description(
      'Lists every teacher process that answers on a NATS server, of whatever run: what model it serves, how busy ' +
        'it is, where it listens and which runs it works for. Replicas of a teacher have a line each.\n\n' +
        "Teachers answer by NATS's service protocol, so `nats micro ls` shows them too, as fusemesh-teacher.",
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh teachers run.yaml\n' +
        "  $ fusemesh teachers --nats nats://127.0.0.1:4222 --json | jq -r '.[].address'",
    )
    .action((path: string | undefined, options: TeachersOptions) =>
      runUntilStopped(async () => {
        const { where } = await natsOfCommand(path, options);
        const { teachers, shown } = await overNats(where, 'teachers', async (connection) => ({
          teachers: await findTeachers(connection),
          shown: connection.url,
        }));
        const lines = options.json
          ? [JSON.stringify(teachers)]
          : teachers.length === 0
            ? [`No teacher answers on ${shown}: start one with \`fusemesh teacher RUN.yaml NAME\`.`]
            : foundTeachersTable(teachers);
        process.stdout.write(`${lines.join('\n')}\n`);
      }),
    );
}
