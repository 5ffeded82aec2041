import { counter, gauge, histogram, type MetricDefinition } from '../../process/metrics/metric.ts';
import { byName } from '../../wire/messages/by-name.ts';
import { figureNames } from '../../wire/messages/figure-values.ts';
import { type StepFigure, type StepFigureName, stepFigures } from '../../wire/messages/step-figures.ts';

const named = (name: string) => `fusemesh_trainer_${name}`;

/** The figures of a step that have a gauge of their own. */
type GaugedFigure = {
  [Name in StepFigureName]: (typeof stepFigures)[Name]['gauge'] extends { readonly name: string }
    ? Name
    : never;
}[StepFigureName];

/** Which gauge of the table shows a figure of the last step, and its labels there. */
export function gaugeOf(figure: StepFigureName): {
  readonly gauge: GaugedFigure;
  readonly labels: { readonly kind?: string };
} {
  const declared: StepFigure['gauge'] = stepFigures[figure].gauge;
  return {
    gauge: ('of' in declared ? declared.of : figure) as GaugedFigure,
    labels: declared.kind === undefined ? {} : { kind: declared.kind },
  };
}

const figureGauges: Readonly<Record<GaugedFigure, MetricDefinition<'gauge'>>> = byName(
  figureNames.filter((name): name is GaugedFigure => 'name' in stepFigures[name].gauge),
  (name) => {
    const {
      name: metric,
      help,
      kind,
    }: Extract<StepFigure['gauge'], { name: string }> = stepFigures[name].gauge;
    return gauge(named(metric), help, kind === undefined ? [] : ['kind']);
  },
);

/** The trainer's metrics; all have the label `run` beside theirs. Counters count since the process began. */
export const trainerTable = {
  tokens: counter(named('tokens_total'), 'Tokens of the target that were trained on.'),
  documents: counter(named('documents_total'), 'Documents that were trained on.'),
  passedOver: counter(
    named('documents_passed_over_total'),
    'Documents that nothing could be learnt from: malformed, or longer than a context.',
  ),
  doubtfulTokens: counter(
    named('doubtful_tokens_total'),
    'Tokens of the target that do not spell the text at their place; nothing is learnt at their ends.',
  ),
  steps: counter(named('steps_total'), 'Optimizer steps done.'),
  skippedSteps: counter(
    named('skipped_steps_total'),
    'Steps that changed nothing, since their loss or gradient was NaN or infinite or all their documents were passed over; but for times, no other figure counts them.',
  ),
  phaseSeconds: counter(
    named('phase_seconds_total'),
    'Wall time of the training by what it went into: wait (for documents and distributions), align (waiting for alignment and fusion), compute (forward and backward), optimizer, checkpoint (waiting for one), evaluate (held-out texts). No second counts twice.',
    ['phase'],
  ),
  fusionSeconds: counter(
    named('fusion_seconds_total'),
    'Time that alignment and fusion took; they mostly happen while the engine computes.',
  ),
  deviceTransfer: counter(
    named('device_transfer_bytes_total'),
    'Bytes that steps brought to the device that computes (to_device), and back from there (from_device); 0 on the processor. Checkpoints and evaluations are not counted.',
    ['direction'],
  ),
  stepSeconds: histogram(
    named('step_seconds'),
    'Time of a step, without the wait for its documents.',
    [0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
  ),
  ...figureGauges,
  rollouts: counter(
    named('rollout_documents_total'),
    'Documents that were trained on and that the target wrote itself.',
  ),
  rolloutTokens: counter(named('rollout_tokens_total'), 'Tokens that the target wrote in them.'),
  rolloutsEndedByLength: counter(
    named('rollout_ended_by_length_total'),
    'Of them, those that ended by length.',
  ),
  rolloutsDropped: counter(
    named('rollout_dropped_total'),
    'Documents that the target wrote and that were passed over: by weights that were too old, judged by nobody, or longer than a context.',
  ),
  rolloutLength: histogram(
    named('rollout_length_tokens'),
    'Tokens of a completion of the target.',
    [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192],
  ),
  rolloutStaleness: histogram(
    named('rollout_staleness_steps'),
    'Steps between the weights that wrote a document and those that were trained on it.',
    [0, 1, 2, 3, 4, 6, 8, 16, 32],
  ),
  rolloutDivergence: gauge(
    named('rollout_divergence_nats'),
    'Estimate of KL(target ‖ judge) on the target’s own text in the last step that had some, in nats a token.',
  ),
  rolloutRepeated: gauge(
    named('rollout_repeated_ratio'),
    'Share of the completions’ runs of four tokens that stood in the same completion before, in the last step that had some.',
  ),
  heldOut: gauge(
    named('held_out_bits_per_byte'),
    'Loss on held-out texts at the last evaluation, in bits per byte of text.',
    ['domain'],
  ),
  chosen: counter(named('source_chosen_total'), 'Documents in which a source was chosen to teach.', [
    'teacher',
  ]),
  taught: counter(named('taught_tokens_total'), 'Positions that a source taught, shared where several did.', [
    'teacher',
  ]),
  mass: counter(
    named('source_mass_total'),
    'Probability mass of the sources’ candidates, by what became of it: exact (a token of the same text), rule (a token that a rule chose) or dropped.',
    ['to'],
  ),
  queueDepth: gauge(named('queue_depth'), 'Distributions that have come and wait for a step.', ['teacher']),
  attached: gauge(named('source_attached'), '1 while a source works for the run, else 0.', ['teacher']),
  replicas: gauge(named('source_replicas'), 'Processes of a source that work for the run.', ['teacher']),
  missing: gauge(
    named('documents_missing'),
    'Documents that some other source has delivered and this one has not.',
    ['teacher'],
  ),
  joinWaitSeconds: counter(
    named('join_wait_seconds_total'),
    'Time that the next document waited for this source (or for the feeder) alone or with others.',
    ['teacher'],
  ),
  joined: counter(
    named('documents_joined_total'),
    'Documents of which the text and every distribution that they waited for had come.',
  ),
  joinedWithout: counter(
    named('documents_joined_without_total'),
    'Documents that went on without this source, as trainer.join allows.',
    ['teacher'],
  ),
  leftOut: gauge(
    named('source_left_out'),
    '1 while the training goes on without a source, which documents do not wait for, else 0.',
    ['teacher'],
  ),
  receivedBytes: counter(named('received_bytes_total'), 'Bytes of distributions that came.', ['teacher']),
  deadLetters: counter(
    named('dead_letters_total'),
    'Messages that could not be used and were put into the run’s stream of dead letters.',
    ['teacher'],
  ),
  step: gauge(named('step'), 'Number of the last step done, over restarts.'),
  plannedSteps: gauge(named('planned_steps'), 'Steps that the run has in all; 0 until it is known.'),
  state: gauge(named('state'), '1 for the state that the trainer is in, 0 for the others.', ['state']),
  checkpointTime: gauge(
    named('checkpoint_timestamp_seconds'),
    'When the newest checkpoint was on disk, in seconds since 1970; 0 before the first.',
  ),
  checkpointWriteSeconds: histogram(
    named('checkpoint_write_seconds'),
    'Time to write one checkpoint, beside the training.',
    [0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
  ),
  streamMessages: gauge('fusemesh_stream_messages', 'Messages that a stream of the run holds.', ['stream']),
  streamLimit: gauge(
    'fusemesh_stream_limit_messages',
    'Messages that a stream of the run may hold; of distributions, those of each teacher.',
    ['stream'],
  ),
  streamBytes: gauge('fusemesh_stream_bytes', 'Bytes that a stream of the run holds.', ['stream']),
  streamLag: gauge(
    'fusemesh_stream_lag_documents',
    'Documents published that no replica of a teacher has scored yet.',
    ['teacher'],
  ),
};
