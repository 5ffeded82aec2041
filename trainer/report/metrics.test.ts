import { expect, it } from 'vitest';
import { createRegister } from '../../process/metrics/create-register.ts';
import { noFigures } from '../../wire/messages/figure-values.ts';
import { TrainerMetrics } from './metrics.ts';
import { TimeSpent } from './time-spent.ts';

it('tells of steps and queues, each figure with the run', async () => {
  const register = createRegister({ run: 'demo' });
  let queueDepth = 0;
  const time = new TimeSpent();
  time.add({ wait: 4, checkpoint: 0.75 });
  const metrics = new TrainerMetrics(register, () => ({
    state: 'training',
    plannedSteps: 100,
    time: time.total,
    sources: [
      { name: 'fiction', queueDepth, attached: true, replicas: 2, documentsMissing: 3, leftOut: true },
    ],
  }));
  const step = {
    ...noFigures,
    step: 7,
    documents: 56,
    tokens: 7_000,
    stepTokens: 1_000,
    stepDocuments: 2,
    passedOver: 1,
    skipped: false,
    chosen: ['fiction', 'fiction'],
    without: { manuals: [54] },
    loss: 3,
    causalLoss: 3.1,
    fusionLoss: 2.1,
    gradientNorm: 0.5,
    learningRate: 1e-4,
    alignedShare: 0.9,
    doubtfulTokens: 3,
    mass: { exact: 700, byRule: 50, dropped: 25 },
    taught: { fiction: 600, manuals: 400 },
    rollouts: {
      ...{ documents: 2, tokens: 60, endedByLength: 1, staleness: 1, logRatio: 24 },
      ...{
        fourGrams: 50,
        repeatedFourGrams: 5,
        mostStaleness: 1,
        lengths: [20, 40],
        ages: [0, 1],
        shown: [],
      },
    },
    rolloutTotals: { documents: 2, tokens: 60, endedByLength: 1, dropped: 3 },
    droppedRollouts: 3,
    skippedSteps: 0,
    seconds: 2,
    time: { ...time.total, wait: 1.5 },
    fusionSeconds: 0.5,
    bytesToDevice: 4_000,
    bytesFromDevice: 300,
    tokensPerSecond: 500,
  };
  metrics.expect(['fiction', 'manuals']);
  metrics.observe(step);
  metrics.observe({ ...step, step: 8, chosen: ['manuals', 'fiction'], loss: 2.9 });
  metrics.observe({ ...step, ...noFigures, step: 9, skipped: true, chosen: [], rollouts: undefined });
  metrics.checkpointAt(new Date(1_800_000_000_500));
  metrics.checkpointWritten(0.5);
  metrics.joined();
  metrics.joinedWithout('manuals');
  metrics.waitedFor('fiction', 2);
  metrics.received('fiction', 500);
  metrics.deadLetter('fiction');
  metrics.observeHeldOut({ manuals: 2.5 });
  metrics.watched({
    streams: [{ name: 'dead-letters', messages: 3, bytes: 450, mostMessages: 10_000 }],
    lags: [{ teacher: 'manuals', documents: 9, redelivered: 0, doneUpTo: 0 }],
  });
  queueDepth = 12;

  // A scrape changes nothing: the next one tells the same.
  await register.metrics();
  const text = await register.metrics();
  for (const line of [
    'fusemesh_trainer_tokens_total{run="demo"} 2000',
    'fusemesh_trainer_documents_total{run="demo"} 4',
    'fusemesh_trainer_steps_total{run="demo"} 2',
    'fusemesh_trainer_source_replicas{teacher="fiction",run="demo"} 2',
    'fusemesh_trainer_skipped_steps_total{run="demo"} 1',
    'fusemesh_trainer_phase_seconds_total{phase="wait",run="demo"} 4',
    'fusemesh_trainer_phase_seconds_total{phase="checkpoint",run="demo"} 0.75',
    'fusemesh_trainer_phase_seconds_total{phase="align",run="demo"} 0',
    'fusemesh_trainer_fusion_seconds_total{run="demo"} 1.5',
    'fusemesh_trainer_device_transfer_bytes_total{direction="to_device",run="demo"} 12000',
    'fusemesh_trainer_device_transfer_bytes_total{direction="from_device",run="demo"} 900',
    'fusemesh_trainer_step{run="demo"} 9',
    'fusemesh_stream_limit_messages{stream="dead-letters",run="demo"} 10000',
    'fusemesh_trainer_planned_steps{run="demo"} 100',
    'fusemesh_trainer_state{state="training",run="demo"} 1',
    'fusemesh_trainer_state{state="paused",run="demo"} 0',
    'fusemesh_trainer_source_attached{teacher="fiction",run="demo"} 1',
    'fusemesh_trainer_documents_missing{teacher="fiction",run="demo"} 3',
    'fusemesh_trainer_documents_joined_total{run="demo"} 1',
    'fusemesh_trainer_documents_joined_without_total{teacher="manuals",run="demo"} 1',
    'fusemesh_trainer_documents_joined_without_total{teacher="fiction",run="demo"} 0',
    'fusemesh_trainer_source_left_out{teacher="fiction",run="demo"} 1',
    'fusemesh_trainer_join_wait_seconds_total{teacher="fiction",run="demo"} 2',
    'fusemesh_trainer_received_bytes_total{teacher="fiction",run="demo"} 500',
    'fusemesh_trainer_dead_letters_total{teacher="fiction",run="demo"} 1',
    'fusemesh_trainer_join_wait_seconds_total{teacher="feeder",run="demo"} 0',
    'fusemesh_trainer_dead_letters_total{teacher="manuals",run="demo"} 0',
    'fusemesh_stream_messages{stream="dead-letters",run="demo"} 3',
    'fusemesh_stream_bytes{stream="dead-letters",run="demo"} 450',
    'fusemesh_stream_lag_documents{teacher="manuals",run="demo"} 9',
    'fusemesh_trainer_checkpoint_timestamp_seconds{run="demo"} 1800000000.5',
    'fusemesh_trainer_checkpoint_write_seconds_sum{run="demo"} 0.5',
    'fusemesh_trainer_held_out_bits_per_byte{domain="manuals",run="demo"} 2.5',
    'fusemesh_trainer_gradient_norm{run="demo"} 0.5',
    'fusemesh_trainer_loss{kind="total",run="demo"} 2.9',
    'fusemesh_trainer_loss{kind="causal",run="demo"} 3.1',
    'fusemesh_trainer_loss{kind="fusion",run="demo"} 2.1',
    'fusemesh_trainer_source_chosen_total{teacher="fiction",run="demo"} 3',
    'fusemesh_trainer_step_seconds_sum{run="demo"} 1',
    'fusemesh_trainer_queue_depth{teacher="fiction",run="demo"} 12',
    'fusemesh_trainer_aligned_ratio{run="demo"} 0.9',
    'fusemesh_trainer_doubtful_tokens_total{run="demo"} 6',
    'fusemesh_trainer_taught_tokens_total{teacher="manuals",run="demo"} 800',
    'fusemesh_trainer_source_mass_total{to="rule",run="demo"} 100',
    'fusemesh_trainer_rollout_documents_total{run="demo"} 4',
    'fusemesh_trainer_rollout_tokens_total{run="demo"} 120',
    'fusemesh_trainer_rollout_ended_by_length_total{run="demo"} 2',
    'fusemesh_trainer_rollout_dropped_total{run="demo"} 9',
    'fusemesh_trainer_rollout_length_tokens_sum{run="demo"} 120',
    'fusemesh_trainer_rollout_staleness_steps_bucket{le="0",run="demo"} 2',
    'fusemesh_trainer_rollout_staleness_steps_bucket{le="1",run="demo"} 4',
    'fusemesh_trainer_rollout_divergence_nats{run="demo"} 0.4',
    'fusemesh_trainer_rollout_repeated_ratio{run="demo"} 0.1',
  ]) {
    expect(text).toContain(line);
  }
});
