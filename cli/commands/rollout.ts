import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { runRolloutWorker } from '../../services/rollout/main.ts';
import { tellParent } from '../child-messages.ts';
import { natsOfRun } from '../nats/nats-of-command.ts';
import { count } from '../option-values.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { traced } from '../traced.ts';

interface RolloutCommandOptions extends RunFileOptions {
  readonly listen: string;
  readonly atOnce?: number;
}

export function addRollout(program: Command): void {
  withRunFile(program.command('rollout'))
    .option('--listen <host:port>', 'where /metrics, /healthz and /readyz are served', '127.0.0.1:0')
    .option('--at-once <count>', 'prompts in hand at a time (default: target.service.slots)', count)
    .summary('have the target write what it learns from')
    .description(
      'A worker of a run with onPolicy: takes prompts that the feeder gives out, has the target service go on with ' +
        'them by weights that are new enough (onPolicy.staleness), and hands what it wrote to the feeder, which ' +
        'writes it to OUTPUT/rollouts.jsonl and publishes it as documents of the run.\n\n' +
        'Start any number, anywhere: they share the prompts, and what one that is killed had in hand goes to another. ' +
        'Ctrl-C gives back what is not finished. Target services (`fusemesh target`) are called at ' +
        'target.service.address, and all that are found over NATS; those that are away are waited for.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh target run.yaml\n  $ fusemesh rollout run.yaml\n' +
        '\nOne more worker, with its metrics at a fixed port:\n' +
        '  $ fusemesh rollout run.yaml --listen 127.0.0.1:9465 --at-once 32',
    )
    .action((path: string, { listen, atOnce, ...options }: RolloutCommandOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        Object.assign(config.nats, (await natsOfRun(path, config, options)).nats);
        const log = createLog('rollout');
        const attributes = { 'fusemesh.run': config.run };
        await traced({ serviceName: 'fusemesh-rollout', attributes }, log, (tracer) =>
          runRolloutWorker(config, {
            signal,
            log,
            tracer,
            listen,
            atOnce,
            onReady: (writing) => tellParent({ writing }),
          }),
        );
      }),
    );
}
