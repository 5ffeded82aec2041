import type { Gauge, Registry } from 'prom-client';
import { type Metrics, makeMetrics } from '../../process/metrics/metric.ts';
import { figureNames } from '../../wire/messages/figure-values.ts';
import { type StateName, stateNames } from '../../wire/messages/trainer-states.ts';
import type { RunState } from '../../wire/nats/run-streams.ts';
import { feeder } from '../intake/read/wait-report.ts';
import { gaugeOf, trainerTable } from './metric-table.ts';
import { meansOf } from './rollouts/rollout-sums.ts';
import type { StepRollouts } from './rollouts/step-rollouts.ts';
import type { StepReport } from './step-report.ts';
import { type PhaseSeconds, phases } from './time-spent.ts';

/** What the metrics read at every scrape. */
export interface ObservedRun {
  readonly state: StateName;
  readonly time: PhaseSeconds;
  /** 0 until it is known. */
  readonly plannedSteps: number;
  readonly sources: readonly ObservedSource[];
}

export interface ObservedSource {
  readonly name: string;
  /** Distributions that have come and wait for a step. */
  readonly queueDepth: number;
  /** Whether it works for the run. */
  readonly attached: boolean;
  /** Processes of it that work for the run. */
  readonly replicas: number;
  /** Documents that another source has delivered and this one has not. */
  readonly documentsMissing: number;
  /** Whether the training continues without it. */
  readonly leftOut: boolean;
}

/** The trainer's metrics. Counters count since the process began, as Prometheus expects. */
export class TrainerMetrics {
  readonly #metrics: Metrics<typeof trainerTable>;

  /**
   * @param register adds the label `run` to each of them
   * @param look called at every scrape
   */
  constructor(register: Registry, look: () => ObservedRun) {
    const ofSources = (value: (source: ObservedSource) => number) => (metric: Gauge<'teacher'>) => {
      for (const source of look().sources) metric.set({ teacher: source.name }, value(source));
    };
    this.#metrics = makeMetrics(trainerTable, register, {
      state: (metric) => {
        const { state } = look();
        for (const each of stateNames) metric.set({ state: each }, Number(each === state));
      },
      phaseSeconds: (metric) => {
        const { time } = look();
        metric.reset();
        for (const phase of phases) metric.inc({ phase }, time[phase]);
      },
      plannedSteps: (metric) => metric.set(look().plannedSteps),
      queueDepth: ofSources(({ queueDepth }) => queueDepth),
      attached: ofSources(({ attached }) => Number(attached)),
      replicas: ofSources(({ replicas }) => replicas),
      leftOut: ofSources(({ leftOut }) => Number(leftOut)),
      missing: ofSources(({ documentsMissing }) => documentsMissing),
    });
    this.#metrics.checkpointTime.set(0);
    for (const direction of ['to_device', 'from_device']) this.#metrics.deviceTransfer.inc({ direction }, 0);
  }

  /** Makes the counters of these sources show 0, instead of no data, before anything has happened. */
  expect(sources: readonly string[]): void {
    const { chosen, taught, receivedBytes, deadLetters, joinWaitSeconds, joinedWithout, mass } =
      this.#metrics;
    for (const teacher of sources) {
      for (const metric of [chosen, taught, receivedBytes, deadLetters, joinedWithout])
        metric.inc({ teacher }, 0);
    }
    for (const teacher of [feeder, ...sources]) joinWaitSeconds.inc({ teacher }, 0);
    deadLetters.inc({ teacher: feeder }, 0);
    for (const to of ['exact', 'rule', 'dropped']) mass.inc({ to }, 0);
  }

  observe(step: StepReport): void {
    const metrics = this.#metrics;
    metrics.fusionSeconds.inc(step.fusionSeconds);
    metrics.passedOver.inc(step.passedOver);
    metrics.rolloutsDropped.inc(step.droppedRollouts);
    metrics.deviceTransfer.inc({ direction: 'to_device' }, step.bytesToDevice);
    metrics.deviceTransfer.inc({ direction: 'from_device' }, step.bytesFromDevice);
    metrics.step.set(step.step);
    if (step.skipped) {
      // Its loss may be NaN: the gauges keep the last step's values, so that alerts and plots have no gap.
      metrics.skippedSteps.inc();
      return;
    }
    metrics.tokens.inc(step.stepTokens);
    metrics.documents.inc(step.stepDocuments);
    metrics.doubtfulTokens.inc(step.doubtfulTokens);
    metrics.steps.inc();
    metrics.stepSeconds.observe(step.seconds - step.time.wait);
    for (const figure of figureNames) {
      const { gauge, labels } = gaugeOf(figure);
      metrics[gauge].set(labels, step[figure]);
    }
    if (step.rollouts) this.#observeRollouts(step.rollouts);
    for (const teacher of step.chosen) metrics.chosen.inc({ teacher });
    for (const [teacher, tokens] of Object.entries(step.taught)) metrics.taught.inc({ teacher }, tokens);
    metrics.mass.inc({ to: 'exact' }, step.mass.exact);
    metrics.mass.inc({ to: 'rule' }, step.mass.byRule);
    metrics.mass.inc({ to: 'dropped' }, step.mass.dropped);
  }

  #observeRollouts(rollouts: StepRollouts): void {
    const metrics = this.#metrics;
    metrics.rollouts.inc(rollouts.documents);
    metrics.rolloutTokens.inc(rollouts.tokens);
    metrics.rolloutsEndedByLength.inc(rollouts.endedByLength);
    for (const length of rollouts.lengths) metrics.rolloutLength.observe(length);
    for (const age of rollouts.ages) metrics.rolloutStaleness.observe(age);
    const { divergence, repeatedShare } = meansOf(rollouts);
    metrics.rolloutDivergence.set(divergence);
    metrics.rolloutRepeated.set(repeatedShare);
  }

  /** @param bitsPerByte by domain */
  observeHeldOut(bitsPerByte: Readonly<Record<string, number>>): void {
    for (const [domain, bits] of Object.entries(bitsPerByte)) this.#metrics.heldOut.set({ domain }, bits);
  }

  /** @param seconds that writing it took */
  checkpointWritten(seconds: number): void {
    this.#metrics.checkpointWriteSeconds.observe(seconds);
  }

  /** When the newest checkpoint was on disk. */
  checkpointAt(time: Date): void {
    this.#metrics.checkpointTime.set(time.getTime() / 1000);
  }

  /** A document's text and all the distributions that it waited for have come. */
  joined(): void {
    this.#metrics.joined.inc();
  }

  /** A document has been joined without a source. */
  joinedWithout(teacher: string): void {
    this.#metrics.joinedWithout.inc({ teacher });
  }

  /** @param teacher that had not delivered, or the feeder */
  waitedFor(teacher: string, seconds: number): void {
    this.#metrics.joinWaitSeconds.inc({ teacher }, seconds);
  }

  /** A distribution has come. */
  received(teacher: string, bytes: number): void {
    this.#metrics.receivedBytes.inc({ teacher }, bytes);
  }

  /** A message that cannot be used went to the dead letters. */
  deadLetter(teacher: string): void {
    this.#metrics.deadLetters.inc({ teacher });
  }

  /** What the run's streams held at the last look. */
  watched({ streams, lags }: RunState): void {
    for (const { name, messages, bytes, mostMessages } of streams) {
      this.#metrics.streamMessages.set({ stream: name }, messages);
      this.#metrics.streamLimit.set({ stream: name }, mostMessages);
      this.#metrics.streamBytes.set({ stream: name }, bytes);
    }
    for (const { teacher, documents } of lags) this.#metrics.streamLag.set({ teacher }, documents);
  }
}
