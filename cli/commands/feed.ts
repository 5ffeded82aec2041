import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { runUntilStopped } from '../../mesh/lifecycle/run-until-stopped.ts';
import { createLog } from '../../mesh/log/log.ts';
import { feedCorpus } from '../../services/corpus/feed-corpus.ts';
import { tellParent } from '../child-messages.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

export function addFeed(program: Command): void {
  withRunFile(program.command('feed'))
    .summary('publish the corpus')
    .description(
      "Splits the corpus so that no tokenizer of the run exceeds the context, and publishes it on the run's\n" +
        'stream. The teachers must be up, for their tokenizers. Feeding twice adds nothing.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh feed run.yaml')
    .action((path: string, options: RunFileOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        const bar = progressBar();
        const { documents, published } = await feedCorpus(config, {
          signal,
          log: createLog('feed'),
          onProgress: (fed) => {
            tellParent({ fed });
            bar?.(fed);
          },
        }).finally(() => bar?.());
        process.stdout.write(
          `The stream of the run ${config.run} has ${documents} documents; ${published} of them are new.\n`,
        );
      }),
    );
}

/** Draws progress where a person watches; called without progress it ends. */
function progressBar(): ((fed?: { published: number; total: number }) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({ format: 'feeding {bar} {value}/{total} documents, {eta_formatted} left' });
  let started = false;
  return (fed) => {
    if (!fed) return bar.stop();
    if (!started) bar.start(fed.total, fed.published);
    started = true;
    bar.update(fed.published);
  };
}
