import { expect, it } from 'vitest';
import { createRegister } from '../mesh/metrics/create-register.ts';
import { TrainerMetrics } from './metrics.ts';

it('tells of steps and queues, each figure with the run', async () => {
  const register = createRegister({ run: 'demo' });
  let queueDepth = 0;
  const metrics = new TrainerMetrics(register, () => [{ name: 'fiction', queueDepth }]);
  const step = {
    step: 7,
    documents: 56,
    tokens: 7_000,
    stepTokens: 1_000,
    stepDocuments: 2,
    skipped: false,
    chosen: ['fiction', 'fiction'],
    loss: 3,
    causalLoss: 3.1,
    fusionLoss: 2.1,
    gradientNorm: 0.5,
    learningRate: 1e-4,
    alignedShare: 0.9,
    doubtfulTokens: 3,
    mass: { exact: 700, byRule: 50, dropped: 25 },
    taught: { fiction: 600, manuals: 400 },
    seconds: 2,
    waitSeconds: 1.5,
    checkpointSeconds: 0.25,
    tokensPerSecond: 500,
  };
  metrics.observe(step);
  metrics.observe({ ...step, step: 8, chosen: ['manuals', 'fiction'], loss: 2.9 });
  const none = { loss: Number.NaN, causalLoss: Number.NaN, fusionLoss: Number.NaN, gradientNorm: Number.NaN };
  metrics.observe({ ...step, ...none, step: 9, skipped: true, chosen: [], waitSeconds: 1 });
  queueDepth = 12;

  const text = await register.metrics();
  for (const line of [
    'fusemesh_trainer_tokens_total{run="demo"} 2000',
    'fusemesh_trainer_documents_total{run="demo"} 4',
    'fusemesh_trainer_steps_total{run="demo"} 2',
    'fusemesh_trainer_skipped_steps_total{run="demo"} 1',
    'fusemesh_trainer_wait_seconds_total{run="demo"} 4',
    'fusemesh_trainer_checkpoint_wait_seconds_total{run="demo"} 0.75',
    'fusemesh_trainer_gradient_norm{run="demo"} 0.5',
    'fusemesh_trainer_loss{kind="total",run="demo"} 2.9',
    'fusemesh_trainer_loss{kind="causal",run="demo"} 3.1',
    'fusemesh_trainer_loss{kind="fusion",run="demo"} 2.1',
    'fusemesh_trainer_source_chosen_total{teacher="fiction",run="demo"} 3',
    'fusemesh_trainer_step_seconds_sum{run="demo"} 1',
    'fusemesh_trainer_queue_depth{teacher="fiction",run="demo"} 12',
    'fusemesh_trainer_aligned_share{run="demo"} 0.9',
    'fusemesh_trainer_doubtful_tokens_total{run="demo"} 6',
    'fusemesh_trainer_taught_tokens_total{teacher="manuals",run="demo"} 800',
    'fusemesh_trainer_source_mass_total{to="rule",run="demo"} 100',
  ]) {
    expect(text).toContain(line);
  }
});
