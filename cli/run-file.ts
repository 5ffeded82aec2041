import type { Command } from 'commander';
import { loadRunConfig } from '../process/config/load-config.ts';
import type { RunConfig } from '../process/config/schema.ts';

/** What every verb accepts beside its run file. */
export interface RunFileOptions {
  /** KEY=VALUE pairs that win over the file and the environment. */
  readonly set?: readonly string[];
}

/** Declares the run file and `--set` of a verb. */
export function withRunFile(command: Command): Command {
  return withSettings(command.argument('<RUN.yaml>', 'the run file'));
}

/** Declares `--set`. */
export function withSettings(command: Command): Command {
  return command.option(
    '--set <key=value>',
    'set one value of the run file, for example trainer.steps=20 (repeatable)',
    (pair: string, pairs: string[] = []) => [...pairs, pair],
  );
}

/** Reads the run file as the command line and the environment change it. */
export function readRunFile(path: string, { set = [] }: RunFileOptions): Promise<RunConfig> {
  return loadRunConfig(path, { overrides: set, environment: process.env });
}
