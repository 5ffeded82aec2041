import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { createLog } from '../../process/log/log.ts';
import { runTeacher } from '../../services/teacher/main.ts';
import { tellParent } from '../child-messages.ts';
import { natsOfRun } from '../nats/nats-of-command.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { traced } from '../traced.ts';

export function addTeacher(program: Command): void {
  withRunFile(program.command('teacher'))
    .argument('<NAME>', 'a teacher of the run, or the name of target.source')
    .summary('serve one source model')
    .description(
      'Serves one source model by gRPC. It starts on the documents of a run when the trainer attaches it. ' +
        'Start it more than once, on other ports, and the replicas share the work: the trainer finds them over ' +
        'NATS and attaches them within seconds, also in the middle of a run. NATS need not be there yet.\n\n' +
        'It computes on the processor, or on a GPU: execution: cuda (device: N picks one of several) or webgpu, in ' +
        'the run file at the teacher or at target.source.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh teacher run.yaml orator --set teachers.0.threads=4\n' +
        '\nOne more replica, on any free port (of a run of `fusemesh up` too):\n' +
        '  $ fusemesh teacher run.yaml orator --set teachers.0.address=127.0.0.1:0\n' +
        '\nThe same on the second NVIDIA GPU, by flags or by the environment:\n' +
        '  $ fusemesh teacher run.yaml orator --set teachers.0.execution=cuda --set teachers.0.device=1\n' +
        '  $ FUSEMESH_TEACHERS__0__EXECUTION=cuda FUSEMESH_TEACHERS__0__DEVICE=1 fusemesh teacher run.yaml orator',
    )
    .action((path: string, name: string, options: RunFileOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        Object.assign(config.nats, (await natsOfRun(path, config, options)).nats);
        const log = createLog(`teacher ${name}`);
        const attributes = { 'fusemesh.teacher': name };
        await traced({ serviceName: 'fusemesh-teacher', attributes }, log, (tracer) =>
          runTeacher(config, name, { signal, log, tracer, onReady: (ready) => tellParent({ ready }) }),
        );
      }),
    );
}
