import { Command } from 'commander';
import { addAlign } from './commands/align.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addEval } from './commands/eval.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addFeed } from './commands/feed.ts';
import { addGenerate } from './commands/generate.ts';
import { addMerge } from './commands/merge.ts';
import { addObserve } from './commands/observe.ts';
import { addRemove } from './commands/remove.ts';
import { addReport } from './commands/report.ts';
import { addRuns } from './commands/runs.ts';
import { addStatus } from './commands/status.ts';
import { addTeacher } from './commands/teacher.ts';
import { addTeachers } from './commands/teachers.ts';
import { addTrainer } from './commands/trainer.ts';
import { addUp } from './commands/up.ts';
import { addWatch } from './commands/watch.ts';

/** The command line: one verb a process of the mesh, and `up` for all of them together. */
export function program(): Command {
  const fusemesh = new Command('fusemesh')
    .description(
      'Fuses what several language models know into one: the teachers score a corpus and stream their ' +
        'top-k next-token distributions, live, to a trainer that aligns, fuses and learns from them.',
    )
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
One YAML file describes a run; every process reads the part that concerns it.

Example: the whole demonstration on this machine
  $ fusemesh up examples/demo.yaml

Example: the same, one process a terminal (or a machine; give them one NATS server)
  $ export NATS_URL=nats://127.0.0.1:4222
  $ fusemesh teacher run.yaml orator
  $ fusemesh teacher run.yaml novelist
  $ fusemesh feed run.yaml
  $ fusemesh trainer run.yaml
  $ fusemesh evaluate run.yaml

See a run from another terminal (or, with fixed ports, another machine):
  $ fusemesh watch run.yaml             # live
  $ fusemesh status run.yaml --json     # once, for scripts
  $ fusemesh observe run.yaml           # Prometheus and Grafana

See what is on a NATS server, and clean up:
  $ fusemesh teachers --nats nats://127.0.0.1:4222
  $ fusemesh runs --nats nats://127.0.0.1:4222
  $ fusemesh remove demo --nats nats://127.0.0.1:4222

Any value of the file can be set for one command, by flag or by environment:
  $ fusemesh up run.yaml --set trainer.learningRate=1e-4
  $ FUSEMESH_TRAINER__LEARNING_RATE=1e-4 fusemesh up run.yaml

Logs are JSON lines on stderr; LOG_LEVEL=debug says more.
Exit code: 0 done, 1 failed, 2 something in the command, the run file or the files it names is wrong.`,
    );
  const processes = [addUp, addTeacher, addFeed, addTrainer];
  const views = [addWatch, addStatus, addObserve, addReport, addDeadLetters];
  const mesh = [addTeachers, addRuns, addRemove];
  const tools = [addEvaluate, addEval, addGenerate, addMerge, addAlign];
  for (const add of [...processes, ...views, ...mesh, ...tools]) add(fusemesh);
  for (const command of [fusemesh, ...fusemesh.commands]) {
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  }
  return fusemesh;
}
