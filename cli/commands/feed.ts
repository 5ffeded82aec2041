import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { type PublishedCorpus, runFeeder } from '../../services/feeder/main.ts';
import { tellParent } from '../child-messages.ts';
import { progressBar } from '../progress-bar.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { traced } from '../traced.ts';

export function addFeed(program: Command): void {
  withRunFile(program.command('feed'))
    .summary('publish the corpus')
    .description(
      "Splits the corpus so that no tokenizer of the run exceeds the context, and publishes it on the run's\n" +
        'stream. The teachers must be up, for their tokenizers. Feeding twice adds nothing. Stays until the\n' +
        'trainer says that the run is over, or until Ctrl-C, and publishes again what NATS may lose.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh feed run.yaml')
    .action((path: string, options: RunFileOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        const bar = progressBar('feeding {bar} {value}/{total} documents, {eta_formatted} left');
        const log = createLog('feed');
        const attributes = { 'fusemesh.run': config.run };
        const onProgress = (fed: { readonly published: number; readonly total: number }) => {
          tellParent({ fed });
          bar.show(fed.published, fed.total);
        };
        const onPublished = ({ documents, published }: PublishedCorpus) => {
          bar.end();
          process.stdout.write(
            `The stream of the run ${config.run} has ${documents} documents; ${published} of them are new.\n` +
              'Staying until the run is over, to give again what NATS may lose; Ctrl-C leaves.\n',
          );
        };
        await traced({ serviceName: 'fusemesh-feeder', attributes }, log, (tracer) =>
          runFeeder(config, { signal, log, tracer, onProgress, onPublished }),
        ).finally(() => bar.end());
      }),
    );
}
