import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import {
  type DeadLetterBox,
  openDeadLetterBox,
  type StoredDeadLetter,
} from '../../wire/nats/dead-letter-box.ts';
import { natsOfRun, overNats } from '../nats/nats-of-command.ts';
import { letterNumbers } from '../option-values.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { tableLines } from '../view/table.ts';

interface DeadLettersOptions extends RunFileOptions {
  readonly json?: true;
  /** Numbers of letters; true means all. */
  readonly replay?: readonly number[] | true;
  readonly remove?: readonly number[] | true;
}

export function addDeadLetters(program: Command): void {
  withRunFile(program.command('dead-letters'))
    .option('--json', 'print one JSON object')
    .option(
      '--replay [letter...]',
      'publish letters again where they came from; all without a number',
      letterNumbers,
    )
    .option('--remove [letter...]', 'remove letters; all without a number', letterNumbers)
    .summary('messages of a run that nobody could use')
    .description(
      'Lists the messages of a run that their reader could not use, with the reason, the oldest first. A document ' +
        'that is among them is passed over by the whole run. A distribution counts as not delivered, and the trainer ' +
        'asks the teacher for it again.\n\n' +
        'Replay what was refused for a reason that is gone, as when the reader was older than the writer: the letter ' +
        'is removed when its stream has it. What still cannot be used comes back as a new letter. Documents are not ' +
        'replayed, as the run has gone on without them.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh dead-letters run.yaml\n' +
        '  $ fusemesh dead-letters run.yaml --replay 3 4\n' +
        "  $ fusemesh dead-letters run.yaml --json | jq '.letters[].reason'",
    )
    .action((path: string, options: DeadLettersOptions) =>
      runUntilStopped(async (signal) => {
        if (options.replay && options.remove) {
          throw new FuseMeshError(
            'invalid_argument',
            '--replay and --remove are two commands: use one of them.',
          );
        }
        const config = await readRunFile(path, options);
        const { run } = config;
        const where = await natsOfRun(path, config, options);
        const answer = await overNats(where, `dead-letters of ${run}`, (connection) =>
          answerOf(openDeadLetterBox(connection, run), options, signal),
        );
        process.stdout.write(`${options.json ? JSON.stringify({ run, ...answer.data }) : answer.text}\n`);
      }),
    );
}

interface Answer {
  readonly data: object;
  readonly text: string;
}

async function answerOf(
  box: DeadLetterBox,
  { replay, remove }: DeadLettersOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const letters = await box.list(signal);
  const chosen = replay ?? remove;
  if (chosen === undefined) return { data: { letters }, text: letterTable(letters).join('\n') };

  const numbers = chosen === true ? letters.map(({ number }) => number) : chosen;
  const done: number[] = [];
  const refused: { letter: number; reason: string }[] = [];
  for (const number of numbers) {
    try {
      await (replay ? box.replay(number, signal) : box.remove(number));
      done.push(number);
    } catch (error) {
      // Asked to replay all, we replay those that can be; of named letters each must be replayed.
      if (chosen !== true || !(error instanceof FuseMeshError) || error.code !== 'failed_precondition')
        throw error;
      refused.push({ letter: number, reason: error.message });
    }
  }
  const verb = replay ? 'replayed' : 'removed';
  const text = [
    `${done.length} of ${numbers.length} letters ${verb}.`,
    ...refused.map(({ reason }) => reason),
  ];
  return { data: { [verb]: done, refused }, text: text.join('\n') };
}

const headings = ['letter', 'time (UTC)', 'source', 'position', 'bytes', 'reason'];

/** Dead letters for people, a line each. */
function letterTable(letters: readonly StoredDeadLetter[]): string[] {
  if (letters.length === 0) return ['There are no dead letters.'];
  return tableLines(
    headings.map((head) => ({ head })),
    letters.map(({ number, time, source, stream, position, bytes, reason }) => [
      String(number),
      time.toISOString().slice(0, 19).replace('T', ' '),
      source,
      // fusemesh_RUN_documents
      `${stream.slice(stream.lastIndexOf('_') + 1)} ${position}`,
      String(bytes),
      reason,
    ]),
  );
}
