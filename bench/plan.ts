/**
 * What limits a run on some machines, and how long it takes there, by a simulation of the mesh.
 *
 * RUN.yaml             the run; config.json and tokenizers of its models, and its corpus, are read
 * --teachers DEVICES   8xA10: eight for all sources, which are shared out; orator=4xA10,novelist=2xL4: to each its own;
 *                      8: of any kind, with --teacher-speed
 * --trainer DEVICE     A100
 * --teacher-speed N    tokens a second of a replica: 12000, or orator=12000,novelist=9000
 * --trainer-speed N    tokens of the target a second
 * --documents N        of the corpus, where they are known; else a sample is counted
 * --measure            all on this machine instead, one replica each, at speeds that are measured now
 * --utilisation N      share of an accelerator's peak that is reached (0.4)
 * --nats MB            that a server of NATS stores and delivers a second (200)
 * --check              three real runs on this machine, against what the simulation says of them
 * --json
 */
import { parseArgs } from 'node:util';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { loadRunConfig } from '../process/config/load-config.ts';
import { sourcesOf } from '../process/config/run-sources.ts';
import { devicesOf } from './planning/accelerators.ts';
import { calibrate } from './planning/calibrate.ts';
import { checkPlans } from './planning/check.ts';
import { notesOf } from './planning/notes.ts';
import { placeOnAccelerators } from './planning/place-on-accelerators.ts';
import { byName } from './planning/placement.ts';
import { heldOutTokensOf, planRun, refuseUnplannable, sizesOf } from './planning/plan-run.ts';
import { bottleneckOf, planText } from './planning/plan-text.ts';
import { placeHere } from './planning/planned-mesh.ts';
import { sampleCorpus } from './planning/sample-corpus.ts';
import { report } from './report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    teachers: { type: 'string' },
    trainer: { type: 'string' },
    'teacher-speed': { type: 'string' },
    'trainer-speed': { type: 'string' },
    documents: { type: 'string' },
    measure: { type: 'boolean', default: false },
    utilisation: { type: 'string', default: '0.4' },
    nats: { type: 'string', default: '200' },
    check: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

try {
  if (values.check) report('plan', await checkPlans());
  else await plan(positionals);
} catch (error) {
  if (!(error instanceof FuseMeshError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function plan([runFile, ...rest]: readonly string[]): Promise<void> {
  if (runFile === undefined || rest.length > 0) {
    throw new FuseMeshError('invalid_argument', 'Give one run file, or --check; --help lists the options.');
  }
  const config = await loadRunConfig(runFile);
  refuseUnplannable(config);
  const documents = values.documents ? Math.ceil(numberOf('--documents', values.documents)) : undefined;
  const corpus = await sampleCorpus(config, documents);
  const sizes = await sizesOf(config);
  const names = sourcesOf(config).map(({ name }) => name);
  const natsBytesPerSecond = 1e6 * numberOf('--nats', values.nats);
  const machines = values.measure
    ? undefined
    : {
        teachers: byName(values.teachers ?? String(names.length), names, devicesOf),
        teacherSpeed: values['teacher-speed']
          ? byName(values['teacher-speed'], names, (text) => numberOf('--teacher-speed', text))
          : undefined,
        trainer: devicesOf(values.trainer ?? '1'),
        trainerSpeed: values['trainer-speed']
          ? numberOf('--trainer-speed', values['trainer-speed'])
          : undefined,
        utilisation: numberOf('--utilisation', values.utilisation),
      };
  const placed = machines
    ? placeOnAccelerators(
        config,
        sizes,
        { corpus, heldOutTokens: await heldOutTokensOf(config, corpus) },
        machines,
      )
    : placeHere(config, await calibrate(runFile, config, corpus), () => 1);
  const planned = await planRun(config, sizes, corpus, { placed, natsBytesPerSecond });
  const notes = notesOf(config, { sizes, corpus, machines }, planned);
  if (!values.json) {
    console.log(planText(config, planned, notes));
    return;
  }
  const { simulated, ...figures } = planned;
  const { seconds, scoringShares, natsShare } = simulated;
  const causes = Object.fromEntries(simulated.causes);
  const bottleneck = bottleneckOf(planned);
  console.log(JSON.stringify({ seconds, bottleneck, causes, scoringShares, natsShare, ...figures, notes }));
}

/** @throws FuseMeshError invalid_argument where it is no number above 0 */
function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new FuseMeshError('invalid_argument', `${option} is "${text}": give a number above 0.`);
}
