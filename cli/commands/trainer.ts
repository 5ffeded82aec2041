import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { runTrainer } from '../../trainer/main.ts';
import { tellParent } from '../child-messages.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { traced } from '../traced.ts';

interface TrainerCommandOptions extends RunFileOptions {
  readonly stay?: boolean;
}

export function addTrainer(program: Command): void {
  withRunFile(program.command('trainer'))
    .option('--stay', 'go on serving when the run has finished, now or before, until stopped')
    .summary('train the target on what the teachers send')
    .description(
      'Attaches to every teacher of the run, fuses what they send and trains the target on it. Stopped or ' +
        'killed, it resumes from its newest checkpoint. The fused model is in OUTPUT/model at the end. Before ' +
        'anything is loaded it says how much memory it will take, and refuses what cannot fit. trainer.execution ' +
        'says what computes: cpu, cuda or webgpu.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh trainer run.yaml --set trainer.output=runs/second-try')
    .action((path: string, options: TrainerCommandOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        const log = createLog('trainer');
        const attributes = { 'fusemesh.run': config.run };
        await traced({ serviceName: 'fusemesh-trainer', attributes }, log, (tracer) =>
          runTrainer(config, {
            signal,
            log,
            tracer,
            stay: options.stay,
            onReady: (ready) => tellParent({ ready }),
          }),
        );
      }),
    );
}
