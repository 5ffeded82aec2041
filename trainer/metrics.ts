import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { StepReport } from './step-report.ts';

/** What the metrics look at whenever Prometheus asks. */
export interface ObservedSource {
  readonly name: string;
  /** Distributions that have come and wait for a step. */
  readonly queueDepth: number;
}

const stepSecondsBuckets = [0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** The trainer's metrics. Counters count since the process began, as Prometheus expects. */
export class TrainerMetrics {
  readonly #tokens: Counter;
  readonly #documents: Counter;
  readonly #doubtfulTokens: Counter;
  readonly #steps: Counter;
  readonly #skippedSteps: Counter;
  readonly #waitSeconds: Counter;
  readonly #checkpointWaitSeconds: Counter;
  readonly #chosen: Counter<'teacher'>;
  readonly #taught: Counter<'teacher'>;
  readonly #mass: Counter<'to'>;
  readonly #loss: Gauge<'kind'>;
  readonly #heldOut: Gauge<'domain'>;
  readonly #gradientNorm: Gauge;
  readonly #learningRate: Gauge;
  readonly #alignedShare: Gauge;
  readonly #stepSeconds: Histogram;

  /**
   * @param register puts the label `run` to each of them
   * @param sources asked at every scrape
   */
  constructor(register: Registry, sources: () => readonly ObservedSource[]) {
    const registers = [register];
    const counter = (name: string, help: string) => new Counter({ name: named(name), help, registers });
    const gauge = (name: string, help: string) => new Gauge({ name: named(name), help, registers });

    this.#tokens = counter('tokens_total', 'Tokens of the target that were trained on.');
    this.#documents = counter('documents_total', 'Documents that were trained on.');
    this.#doubtfulTokens = counter(
      'doubtful_tokens_total',
      'Tokens of the target that do not spell the text at their place; nothing is learnt at their ends.',
    );
    this.#steps = counter('steps_total', 'Optimizer steps done.');
    this.#skippedSteps = counter(
      'skipped_steps_total',
      'Steps that changed nothing, since their loss or gradient was no number; but for waits, no other figure counts them.',
    );
    this.#waitSeconds = counter('wait_seconds_total', 'Time that steps waited for their documents.');
    this.#checkpointWaitSeconds = counter(
      'checkpoint_wait_seconds_total',
      'Time that checkpoints held up the training; they are written while it goes on.',
    );
    this.#gradientNorm = gauge('gradient_norm', 'L2 norm of the last gradient before clipping.');
    this.#learningRate = gauge('learning_rate', 'Learning rate of the last step.');
    this.#alignedShare = gauge(
      'aligned_share',
      'Share of the last step’s positions with a fused distribution.',
    );
    this.#loss = new Gauge({
      name: named('loss'),
      help: 'Loss of the last step in nats a token: total, causal (language modelling) and fusion.',
      labelNames: ['kind'],
      registers,
    });
    this.#heldOut = new Gauge({
      name: named('held_out_bits_per_byte'),
      help: 'Loss on held-out texts at the last evaluation, in bits per byte of text.',
      labelNames: ['domain'],
      registers,
    });
    this.#chosen = new Counter({
      name: named('source_chosen_total'),
      help: 'Documents in which a source was chosen to teach.',
      labelNames: ['teacher'],
      registers,
    });
    this.#taught = new Counter({
      name: named('taught_tokens_total'),
      help: 'Positions that a source taught, shared where several did.',
      labelNames: ['teacher'],
      registers,
    });
    this.#mass = new Counter({
      name: named('source_mass_total'),
      help: 'Probability mass of the sources’ candidates, by what became of it: exact (a token of the same text), rule (a token that a rule chose) or dropped.',
      labelNames: ['to'],
      registers,
    });
    this.#stepSeconds = new Histogram({
      name: named('step_seconds'),
      help: 'Time of a step, without the wait for its documents.',
      buckets: stepSecondsBuckets,
      registers,
    });
    new Gauge({
      name: named('queue_depth'),
      help: 'Distributions that have come and wait for a step.',
      labelNames: ['teacher'],
      registers,
      collect() {
        for (const { name, queueDepth } of sources()) this.set({ teacher: name }, queueDepth);
      },
    });
  }

  /** @param bitsPerByte by domain */
  observeHeldOut(bitsPerByte: Readonly<Record<string, number>>): void {
    for (const [domain, bits] of Object.entries(bitsPerByte)) this.#heldOut.set({ domain }, bits);
  }

  observe(step: StepReport): void {
    this.#waitSeconds.inc(step.waitSeconds);
    this.#checkpointWaitSeconds.inc(step.checkpointSeconds);
    if (step.skipped) {
      // Its loss is no number: the gauges keep what they have, so that alerts and plots go on.
      this.#skippedSteps.inc();
      return;
    }
    this.#tokens.inc(step.stepTokens);
    this.#documents.inc(step.stepDocuments);
    this.#doubtfulTokens.inc(step.doubtfulTokens);
    this.#steps.inc();
    this.#stepSeconds.observe(step.seconds - step.waitSeconds);
    this.#loss.set({ kind: 'total' }, step.loss);
    this.#loss.set({ kind: 'causal' }, step.causalLoss);
    this.#loss.set({ kind: 'fusion' }, step.fusionLoss);
    this.#gradientNorm.set(step.gradientNorm);
    this.#learningRate.set(step.learningRate);
    this.#alignedShare.set(step.alignedShare);
    for (const teacher of step.chosen) this.#chosen.inc({ teacher });
    for (const [teacher, tokens] of Object.entries(step.taught)) this.#taught.inc({ teacher }, tokens);
    this.#mass.inc({ to: 'exact' }, step.mass.exact);
    this.#mass.inc({ to: 'rule' }, step.mass.byRule);
    this.#mass.inc({ to: 'dropped' }, step.mass.dropped);
  }
}

const named = (name: string) => `fusemesh_trainer_${name}`;
