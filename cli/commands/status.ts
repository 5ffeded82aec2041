import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  TrainerService,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { askTrainer } from '../reach/follow-trainer.ts';
import { trainerAddress } from '../reach/reachable.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { finishedRun } from '../stored/finished-run.ts';
import { finishedText } from '../view/finished-text.ts';
import { runView } from '../view/run-view.ts';

interface StatusOptions extends RunFileOptions {
  readonly json?: true;
}

export function addStatus(program: Command): void {
  withRunFile(program.command('status'))
    .option('--json', "print one JSON object: GetStatusResponse of the trainer's gRPC service")
    .summary('where a run stands, once')
    .description(
      'Asks the trainer of a run where it stands, and prints it. Of a run that has finished it prints what is ' +
        'stored in its output directory. Exit code 1 when the trainer does not answer and the run has not finished.\n\n' +
        'In JSON, whole numbers of 64 bits are strings, as everywhere in the JSON of Protocol Buffers.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh status run.yaml\n' +
        "  $ fusemesh status run.yaml --json | jq '.state, (.lastStep.step | tonumber)'",
    )
    .action((path: string, options: StatusOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        const { status, isOver } = await statusOf(config, signal);
        const text = options.json
          ? JSON.stringify(toJson(GetStatusResponseSchema, status, { alwaysEmitImplicit: true }))
          : isOver
            ? finishedText(config, status)
            : runView({ run: config.run, now: Date.now(), status, curve: [], silent: undefined }).join('\n');
        process.stdout.write(`${text}\n`);
      }),
    );
}

/** What the trainer says; of a run that is over, what is stored. */
async function statusOf(
  config: RunConfig,
  signal: AbortSignal,
): Promise<{ status: GetStatusResponse; isOver: boolean }> {
  try {
    const client = createClient(TrainerService, await trainerAddress(config), config.security);
    try {
      return { status: await askTrainer(client, config.run, signal), isOver: false };
    } finally {
      client.close();
    }
  } catch (error) {
    const stored = error instanceof FuseMeshError ? await finishedRun(config) : undefined;
    if (stored) return { status: stored, isOver: true };
    throw error;
  }
}
