import type { FusedBatch } from '../../fusion/batch/batches.ts';
import { messagingAttributes } from '../../process/tracing/messaging-attributes.ts';
import type { Attributes, Span, Tracer } from '../../process/tracing/tracer.ts';
import { runNames } from '../../wire/nats/names.ts';
import type { Arrivals } from '../intake/read/read-documents.ts';
import type { StepReport } from './step-report.ts';

type TracedStep = Pick<StepReport, 'step' | 'stepTokens' | 'skipped' | 'loss' | 'gradientNorm' | 'time'>;
type TracedBatch = Pick<
  FusedBatch,
  'documents' | 'passedOver' | 'chosenSources' | 'fusedAt' | 'fusionSeconds'
>;

/** A document of a trace, from its first part's arrival until it has been trained on. */
interface TracedDocument {
  readonly traceparent: string;
  readonly firstArrival: number;
  /** Whose parts have come, in that order. */
  readonly arrived: Set<string>;
  lastArrival: number;
}

/**
 * The trainer's spans: "join", "fuse" and "train" under each document's own, and "step" for the optimizer's
 * step, which the documents' "train" links to. All times are those of performance.now().
 */
export class DocumentTraces implements Arrivals {
  readonly #tracer: Tracer;
  readonly #receiving: Attributes;
  readonly #run: string;
  readonly #sources: readonly string[];
  readonly #documents = new Map<number, TracedDocument>();
  #next: number;

  /**
   * @param run.sources their names
   * @param from the first document that will be trained on
   */
  constructor(tracer: Tracer, { run, sources }: { run: string; sources: readonly string[] }, from: number) {
    this.#tracer = tracer;
    this.#receiving = messagingAttributes('receive', `${runNames(run).distributionsPrefix}*`);
    this.#run = run;
    this.#sources = sources;
    this.#next = from;
  }

  arrived(number: number, source: string, traceparent?: string): void {
    if (number < this.#next) return;
    const now = performance.now();
    const document = this.#documents.get(number);
    if (document !== undefined) {
      if (document.arrived.has(source)) return;
      document.arrived.add(source);
      document.lastArrival = now;
    } else if (traceparent !== undefined) {
      const arrived = new Set([source]);
      this.#documents.set(number, { traceparent, firstArrival: now, lastArrival: now, arrived });
    }
  }

  /** A step has just been taken: ends the traces of its documents. */
  trained(report: TracedStep, batch: TracedBatch): void {
    const { documents, passedOver, chosenSources, fusedAt, fusionSeconds } = batch;
    const end = performance.now();
    const start = end - 1000 * (report.time.compute + report.time.optimizer);
    const step = this.#startStep(report, start);
    const links = [step.traceparent];
    for (const [i, number] of documents.entries()) {
      this.#next = number + 1;
      const document = this.#documents.get(number);
      if (document === undefined) continue;
      this.#documents.delete(number);
      const { traceparent: parent, firstArrival, lastArrival, arrived } = document;
      const joined = { ...this.#receiving, 'fusemesh.last_source': [...arrived].at(-1)! };
      this.#tracer
        .start('join', { parent, kind: 'consumer', attributes: joined, start: firstArrival })
        .end(lastArrival);
      this.#tracer.start('fuse', { parent, start: fusedAt - 1000 * fusionSeconds }).end(fusedAt);
      // Undefined where no source taught the document.
      const chosen = this.#sources[chosenSources[i]];
      const attributes = {
        'fusemesh.step': report.step,
        ...(!report.skipped && { 'fusemesh.loss': report.loss }),
        ...(!report.skipped && chosen !== undefined && { 'fusemesh.chosen_teacher': chosen }),
      };
      finish(this.#tracer.start('train', { parent, links, attributes, start }), report, end);
    }
    for (const number of passedOver) {
      this.#next = Math.max(this.#next, number + 1);
      this.#documents.delete(number);
    }
    finish(step, report, end);
  }

  #startStep(report: TracedStep, start: number): Span {
    const attributes = {
      'fusemesh.run': this.#run,
      'fusemesh.step': report.step,
      'fusemesh.tokens': report.stepTokens,
      ...(!report.skipped && { 'fusemesh.loss': report.loss, 'fusemesh.gradient_norm': report.gradientNorm }),
    };
    return this.#tracer.start('step', { attributes, start });
  }
}

function finish(span: Span, { skipped }: TracedStep, end: number): void {
  if (skipped) span.fail('loss or gradient is NaN or infinite: nothing was learnt', end);
  else span.end(end);
}
