import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { runObserve } from '../observe/run-observe.ts';
import { port } from '../option-values.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

interface ObserveCommandOptions extends RunFileOptions {
  readonly prometheusPort: number;
  readonly grafanaPort: number;
}

export function addObserve(program: Command): void {
  withRunFile(program.command('observe'))
    .option('--prometheus-port <port>', 'where Prometheus listens; 0 picks a free port', port, 9090)
    .option('--grafana-port <port>', 'where Grafana listens; 0 picks a free port', port, 3000)
    .summary('Prometheus and Grafana over a run, without Docker')
    .description(
      'Starts the Prometheus and the Grafana that are installed on this machine over all processes of a run, with ' +
        'the rules, the data source and the dashboards in place, on 127.0.0.1 and without a login. It may be ' +
        'started before the run and goes on over its restarts. Ctrl-C stops both; what they have gathered stays ' +
        'in OUTPUT/observe.\n\n' +
        "Without Grafana it runs Prometheus alone. The trainer's own page and `fusemesh watch` need neither.",
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh up examples/demo.yaml        # in one terminal\n' +
        '  $ fusemesh observe examples/demo.yaml   # in another',
    )
    .action((path: string, { prometheusPort, grafanaPort, ...options }: ObserveCommandOptions) =>
      runUntilStopped(async (signal) => {
        const say = (line: string) => process.stdout.write(`${line}\n`);
        await runObserve(await readRunFile(path, options), { prometheusPort, grafanaPort, say, signal });
      }),
    );
}
