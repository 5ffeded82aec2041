import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { countCorpus } from '../../services/feeder/count-corpus.ts';
import { encodersOfRun } from '../../services/feeder/encoders-of-run.ts';
import { type PublishedCorpus, runFeeder } from '../../services/feeder/main.ts';
import { countPrompts } from '../../services/feeder/rollouts/count-prompts.ts';
import { tellParent } from '../child-messages.ts';
import { progressBar } from '../progress-bar.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { traced } from '../traced.ts';
import { corpusCountText } from '../view/corpus-count.ts';
import { promptCountText } from '../view/prompt-count.ts';

interface FeedOptions extends RunFileOptions {
  readonly dryRun?: boolean;
  readonly untilOver?: boolean;
  readonly listen?: string;
}

export function addFeed(program: Command): void {
  withRunFile(program.command('feed'))
    .option(
      '--dry-run',
      'publish nothing: count documents, prompts and tokens, and show three documents as each model will see them',
    )
    .option('--listen <host:port>', 'where /metrics, /healthz and /readyz are served (default: nowhere)')
    .option('--until-over', 'stopped before the run is over, it ends with exit code 1: a Job begins it again')
    .summary('publish the corpus')
    .description(
      "Splits the corpus so that no tokenizer of the run exceeds the context, and publishes it on the run's\n" +
        'stream. The teachers must be up, for their tokenizers. Feeding twice adds nothing, and a\n' +
        'feeder that was killed goes on where it was. Stays until the\n' +
        'trainer says that the run is over, or until Ctrl-C, and publishes again what NATS may lose.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh feed run.yaml\n  $ fusemesh feed run.yaml --dry-run')
    .action((path: string, options: FeedOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        if (options.dryRun) return dryRun(config, signal);
        const cutting = progressBar('cutting {bar} {percentage} % of the corpus, {eta_formatted} left');
        const bar = progressBar('feeding {bar} {value}/{total} documents, {eta_formatted} left');
        const log = createLog('feed');
        const attributes = { 'fusemesh.run': config.run };
        const onRead = (read: number, all: number) => cutting.show(read, all);
        const onProgress = (fed: { readonly published: number; readonly total: number }) => {
          cutting.end();
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
          runFeeder(config, { signal, log, tracer, listen: options.listen, onRead, onProgress, onPublished }),
        ).finally(() => {
          cutting.end();
          bar.end();
          if (options.untilOver && signal.aborted) {
            throw new FuseMeshError('unavailable', `Stopped before run ${config.run} is over.`);
          }
        });
      }),
    );
}

/** Says what would be published; tokenizers and templates of models on this machine are taken from there. */
async function dryRun(config: RunConfig, signal: AbortSignal): Promise<void> {
  const encoders = await encodersOfRun(config, signal, { local: true });
  const names = ['target', ...config.teachers.map(({ name }) => name)];
  let corpus = 0;
  if (textsOf(config).length > 0) {
    const bar = progressBar('counting {bar} {percentage} % of the corpus, {eta_formatted} left');
    const onRead = (read: number, all: number) => bar.show(read, all);
    const counted = await countCorpus(config, encoders, { signal, onRead }).finally(() => bar.end());
    corpus = counted.documents;
    const readers = encoders.map((encoder, i) => ({ name: names[i], encoder }));
    process.stdout.write(await corpusCountText(counted, readers));
  }
  const { onPolicy } = config;
  if (onPolicy === undefined) return;
  const prompts = await countPrompts({ ...config, onPolicy }, encoders, { corpus, signal });
  process.stdout.write(`${corpus > 0 ? '\n' : ''}${promptCountText(prompts, names)}`);
}
