import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { reportDocument } from '../../page/documents/report-document.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { runReport } from '../report/run-report.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

interface ReportOptions extends RunFileOptions {
  readonly output?: string;
}

export function addReport(program: Command): void {
  withRunFile(program.command('report'))
    .option('--output <file>', 'where to write (default: report.html in the output directory of the run)')
    .summary('one HTML file about a run')
    .description(
      'Writes what a run has left as one HTML file, which opens anywhere without a network: held-out losses, ' +
        'curves, who taught, the settings. Of an unfinished run it tells how far it has come.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh report examples/demo.yaml --output demo.html')
    .action((path: string, options: ReportOptions) => runUntilStopped(() => report(path, options)));
}

async function report(path: string, options: ReportOptions): Promise<void> {
  const config = await readRunFile(path, options);
  const data = await runReport(path, config, new Date());
  const file = options.output ?? join(config.trainer.output, 'report.html');
  await writeFile(file, await reportDocument(data)).catch((cause: Error) => {
    throw new FuseMeshError('invalid_argument', `Cannot write the report to ${file}: ${cause.message}`, {
      cause,
    });
  });
  process.stdout.write(`The report${data.finished ? '' : ' of the unfinished run'} is in ${file}\n`);
}
