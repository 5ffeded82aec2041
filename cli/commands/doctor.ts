import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { checkMachine } from '../doctor/check-machine.ts';
import { checkRun } from '../doctor/check-run.ts';
import { hasProblem } from '../doctor/finding.ts';
import { findingLines, summaryLine } from '../doctor/findings-text.ts';
import { type RunFileOptions, withSettings } from '../run-file.ts';

interface DoctorOptions extends RunFileOptions {
  readonly json?: true;
}

export function addDoctor(program: Command): void {
  withSettings(
    program.command('doctor').argument('[RUN.yaml]', 'a run file, to see whether it could run here'),
  )
    .option('--json', 'print one JSON object: canRun, and the findings about the machine and the run')
    .summary('what this machine can do, and whether a run could run')
    .description(
      'Prints a line for each thing that matters: ok, a note, or a problem with what to do about it. Without a run ' +
        'file these are Node.js, ONNX Runtime, GPUs, nats-server, memory and disk; with one also what the run needs ' +
        'on this machine: models, texts, ports, NATS, memory, disk, secrets and certificates. What is on other ' +
        'machines is to be asked there.\n\n' +
        'Nothing is started or changed. Exit code 1 when there is a problem.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh doctor\n  $ fusemesh doctor run.yaml\n' +
        '  $ fusemesh doctor run.yaml --json | jq \'.run[] | select(.verdict == "problem")\'',
    )
    .action((path: string | undefined, options: DoctorOptions) =>
      runUntilStopped(async () => {
        const { findings: machine, ...able } = await checkMachine();
        const run = path === undefined ? [] : await checkRun(path, options, { findings: machine, ...able });
        const all = [...machine, ...run];
        const canRun = !hasProblem(all);
        const lines = options.json
          ? [JSON.stringify({ canRun, machine, run })]
          : [
              ...findingLines('This machine', machine),
              ...(path === undefined ? [] : findingLines(`The run of ${path}`, run)),
              summaryLine(all, path ?? 'FuseMesh'),
            ];
        process.stdout.write(`${lines.join('\n')}\n`);
        if (!canRun) process.exitCode = 1;
      }),
    );
}
