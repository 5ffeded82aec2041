import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { interruptedExitCode, runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { type Recorded, recordRun } from '../../trainer/record-run.ts';
import { tellParent } from '../child-messages.ts';
import { needsOwnNats } from '../nats/nats-of-command.ts';
import { progressBar } from '../progress-bar.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { refuseBeforeStart } from '../up/refuse-before-start.ts';
import { runRecord } from '../up/run-record.ts';
import { byteSize, whole } from '../view/words.ts';

interface RecordCommandOptions extends RunFileOptions {
  readonly to?: string;
  readonly alone?: true;
}

export function addRecord(program: Command): void {
  withRunFile(program.command('record'))
    .option('--to <DIR>', 'where the recording goes; recording in trainer.output by default')
    .option('--alone', 'start nothing else: NATS, feeder and teachers of the run are up already')
    .summary('store what the teachers say of the corpus, to train from without them')
    .description(
      'Runs NATS, the teachers and the feeder of a run file on this machine, and stores what the teachers say of the ' +
        'corpus, once. Any number of runs train from it, also at the same time, without feeder, teachers and NATS: ' +
        'corpus: { recording: DIR } in their run files. Stopped or killed, the same command goes on where it was.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh record run.yaml --to recordings/first\n' +
        '\nWhere the teachers run on other machines, each process by itself, this one in place of the trainer:\n' +
        '  $ fusemesh record run.yaml --to recordings/first --alone',
    )
    .action((path: string, options: RecordCommandOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        textsOf(config);
        const { to = join(config.trainer.output, 'recording') } = options;
        const directory = resolve(to);
        const bar = progressBar('recording {bar} {value}/{total} documents, {eta_formatted} left');
        const onProgress = (recorded: Recorded) => {
          tellParent({ recorded });
          bar.show(recorded.documents, recorded.total);
        };
        const recorded = await (options.alone
          ? recordRun(config, { directory, signal, log: createLog('record'), onProgress })
          : recordHere(path, config, options, { directory, signal, onProgress })
        ).finally(() => bar.end());
        if (recorded) return printRecorded(recorded, directory);
        process.stdout.write('Stopped. The same command goes on where it was.\n');
        process.exitCode = interruptedExitCode;
      }),
    );
}

async function recordHere(
  path: string,
  config: RunConfig,
  { set: overrides = [] }: RecordCommandOptions,
  parts: {
    readonly directory: string;
    readonly signal: AbortSignal;
    readonly onProgress: (recorded: Recorded) => void;
  },
): Promise<Recorded | undefined> {
  const ownNats = await needsOwnNats(path, overrides, process.env);
  await refuseBeforeStart(config, ownNats);
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  return runRecord(path, config, { ...parts, overrides, ownNats, note });
}

function printRecorded({ documents, bytes, tokens, tokenBytes }: Recorded, directory: string): void {
  const size = tokens > 0 ? `, ${(tokenBytes / tokens).toFixed(1)} bytes a token of a teacher` : '';
  process.stdout.write(
    `${whole(documents)} documents are recorded in ${directory}: ${byteSize(bytes)}${size}.\n` +
      `Train from them, without teachers: corpus: { recording: ${JSON.stringify(directory)} }\n`,
  );
}
