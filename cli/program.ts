import { Command } from 'commander';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { ownVersion } from '../process/lifecycle/own-version.ts';
import { runUntilStopped } from '../process/lifecycle/run-until-stopped.ts';

/** The verbs, in the order of the help. A module is read when it is asked for: a teacher needs no trainer. */
const verbs = {
  up: async () => (await import('./commands/up.ts')).addUp,
  teacher: async () => (await import('./commands/teacher.ts')).addTeacher,
  target: async () => (await import('./commands/target.ts')).addTarget,
  rollout: async () => (await import('./commands/rollout.ts')).addRollout,
  feed: async () => (await import('./commands/feed.ts')).addFeed,
  record: async () => (await import('./commands/record.ts')).addRecord,
  trainer: async () => (await import('./commands/trainer.ts')).addTrainer,
  watch: async () => (await import('./commands/watch.ts')).addWatch,
  status: async () => (await import('./commands/status.ts')).addStatus,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  observe: async () => (await import('./commands/observe.ts')).addObserve,
  report: async () => (await import('./commands/report.ts')).addReport,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).addDeadLetters,
  teachers: async () => (await import('./commands/teachers.ts')).addTeachers,
  runs: async () => (await import('./commands/runs.ts')).addRuns,
  remove: async () => (await import('./commands/remove.ts')).addRemove,
  compare: async () => (await import('./commands/compare.ts')).addCompare,
  eval: async () => (await import('./commands/eval.ts')).addEval,
  generate: async () => (await import('./commands/generate.ts')).addGenerate,
  merge: async () => (await import('./commands/merge.ts')).addMerge,
  import: async () => (await import('./commands/import.ts')).addImport,
  kubernetes: async () => (await import('./commands/kubernetes.ts')).addKubernetes,
  align: async () => (await import('./commands/align.ts')).addAlign,
} as const;

/** What verbs were called before, and what they are called now. */
const formerNames: ReadonlyMap<string | undefined, string> = new Map([['evaluate', 'compare']]);

/**
 * The command line: one verb for each process of a run, and `up` for all of them together.
 *
 * @param asked the first argument: if it is a verb, that verb alone is there, which halves the time to start
 */
export async function program(asked?: string): Promise<Command> {
  const fusemesh = new Command('fusemesh')
    .description(
      'Fuses what several language models know into one: the teachers score a corpus and stream their ' +
        'top-k next-token distributions, live, to a trainer that aligns, fuses and learns from them.',
    )
    .version(ownVersion, '-V, --version', 'print the version')
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
  $ fusemesh compare run.yaml

See a run from another terminal (or, with fixed ports, another machine):
  $ fusemesh watch run.yaml             # live
  $ fusemesh status run.yaml --json     # once, for scripts
  $ fusemesh observe run.yaml           # Prometheus and Grafana

See what a machine can do, and whether a run could run on it:
  $ fusemesh doctor
  $ fusemesh doctor run.yaml

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
  const now = formerNames.get(asked);
  if (asked !== undefined && now !== undefined) {
    addFormerName(fusemesh, asked, now);
    return fusemesh;
  }
  const wanted = Object.entries(verbs).filter(([verb]) => verb === asked);
  for (const [, read] of wanted.length > 0 ? wanted : Object.entries(verbs)) (await read())(fusemesh);
  for (const command of [fusemesh, ...fusemesh.commands]) {
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  }
  return fusemesh;
}

/** A verb that only says what it is called now, whatever follows it. */
function addFormerName(program: Command, former: string, now: string): void {
  program
    .command(former)
    .argument('[ANYTHING...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(() =>
      runUntilStopped(async () => {
        throw new FuseMeshError(
          'invalid_argument',
          `\`fusemesh ${former}\` is called \`fusemesh ${now}\` now: the same arguments and options go with it`,
        );
      }),
    );
}
