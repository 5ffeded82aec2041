import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { runTarget } from '../../services/target/main.ts';
import { tellParent } from '../child-messages.ts';
import { natsOfRun } from '../nats/nats-of-command.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

interface TargetOptions extends RunFileOptions {
  readonly checkpoints?: string;
}

export function addTarget(program: Command): void {
  withRunFile(program.command('target'))
    .option(
      '--checkpoints <directory>',
      'serve the newest checkpoint there, such as OUTPUT/checkpoints, and newer ones as they come; no NATS is needed',
    )
    .summary('serve the target as it learns')
    .description(
      'Serves the target of a run with the newest weights that its trainer has published: by gRPC, by the Open ' +
        "Inference Protocol (KServe v2), and as OpenAI's API over HTTP. New weights take the place of the old without a " +
        'call being dropped: each ends on the weights that it began with, and every answer says their step. Where there ' +
        'is no trainer, it serves the weights that the run begins with.\n\n' +
        'Where it listens is target.service in the run file: address for gRPC, httpPort for /v1 and /metrics. Start it ' +
        'more than once, on other ports, for more answers at a time: rollout workers find them over NATS.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh target run.yaml --set target.service.httpPort=8000' +
        '\n\nAsk it as OpenAI is asked; the model has the name of the run:\n' +
        '  $ curl localhost:8000/v1/chat/completions -H "Content-Type: application/json" -d \\\n' +
        '      \'{"model": "demo", "messages": [{"role": "user", "content": "Where is Lisbon?"}]}\'' +
        '\n\nThe openai packages: base_url="http://localhost:8000/v1", api_key the token of the run, or anything where it ' +
        'has none.' +
        '\n\nOne more, on any free ports:\n' +
        '  $ fusemesh target run.yaml --set target.service.address=127.0.0.1:0 --set target.service.httpPort=0',
    )
    .action((path: string, { checkpoints, ...options }: TargetOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        Object.assign(config.nats, (await natsOfRun(path, config, options)).nats);
        const log = createLog('target');
        await runTarget(config, { signal, log, checkpoints, onReady: (ready) => tellParent({ ready }) });
      }),
    );
}
