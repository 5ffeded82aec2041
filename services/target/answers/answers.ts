import type { Registry } from 'prom-client';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { GeneratedPiece, GenerationRequest } from '../../../model/generation/generator.ts';
import { PieceQueue } from '../../../model/generation/piece-queue.ts';
import { Turns } from '../../../model/runtime/turns.ts';
import { type Metrics, makeMetrics } from '../../../process/metrics/metric.ts';
import { CallSlots } from '../../calls/call-slots.ts';
import { targetTable } from '../metric-table.ts';
import type { ScoredByStep, TargetModel } from '../target-model.ts';
import { type Prompt, promptOf } from './prompt-of.ts';
import { StepWaits } from './step-waits.ts';

/** Most answers that wait beside those that are written: a queue that grows for ever answers nobody. */
export const mostWaiting = 256;
/** Texts of Score in hand, in the queue included. */
const mostScores = 64;

/** An answer that is wanted. */
export interface AnswerRequest
  extends Omit<GenerationRequest, 'prompt' | 'rendered' | 'endOfTurn' | 'maxTokens'> {
  readonly prompt: Prompt;
  /** Most tokens; left out, as many as the context holds. */
  readonly maxTokens?: number | undefined;
  /** Waits, without a slot, until weights of this step or a later one are served. */
  readonly minStep?: number;
}

/** One call, which may want several answers; each has its turn between those of other calls. */
export interface Call {
  /**
   * Writes one of the answers, on weights of one step.
   *
   * @throws FuseMeshError invalid_argument, cancelled when the signal aborts, unavailable when the model fails
   */
  write(request: AnswerRequest, signal: AbortSignal): AsyncGenerator<GeneratedPiece>;
  /** To be called when all its answers are over. */
  end(): void;
}

/** A slot that an answer has. */
interface Slot {
  /** When it began to wait for it. */
  readonly waited: number;
  giveBack(): void;
}

/** What every protocol of the service answers calls with: bounded, in turns, counted. */
export class Answers {
  readonly model: TargetModel;
  /** Calls are lanes: one that wants many answers holds up no other that wants one. */
  readonly #slots: Turns;
  #calls = 0;
  readonly #inHand: CallSlots;
  readonly #scores = new CallSlots(mostScores, 'target service', 'texts to score');
  readonly #steps: StepWaits;
  readonly #metrics: Metrics<typeof targetTable>;

  /** @param step of the weights that the model has */
  constructor(
    model: TargetModel,
    { slots, step, register }: { slots: number; step: number; register: Registry },
  ) {
    this.model = model;
    this.#slots = new Turns(slots);
    this.#inHand = new CallSlots(slots + mostWaiting, 'target service', 'answers');
    this.#steps = new StepWaits(step);
    this.#metrics = makeMetrics(targetTable, register, {
      weightsStep: (metric) => metric.set(this.#steps.step),
      answersInProgress: (metric) => metric.set(this.#slots.taken),
      answersQueued: (metric) => {
        metric.set({ reason: 'slot' }, this.#slots.waiting);
        metric.set({ reason: 'weights' }, this.#steps.waiting);
      },
    });
    for (const end of ['stop', 'length', 'cancelled', 'failed']) this.#metrics.answers.inc({ end }, 0);
  }

  /** Training step of the weights that calls are answered by from now on. */
  get step(): number {
    return this.#steps.step;
  }

  /** Answers in hand, those that wait included. */
  get inHand(): number {
    return this.#inHand.taken;
  }

  /** A request to the OpenAI-compatible front is over. */
  countHttp(endpoint: string, code: number): void {
    this.#metrics.httpRequests.inc({ endpoint, code });
  }

  /**
   * Takes new weights while calls go on. One after another.
   *
   * @throws FuseMeshError where they cannot be used; the weights remain those before
   */
  async onWeights(directory: string, step: number): Promise<void> {
    const began = performance.now();
    await this.model.replace(directory, step);
    this.#steps.serve(step);
    this.#metrics.weightSwaps.inc();
    this.#metrics.weightSwapSeconds.observe(secondsSince(began));
  }

  /**
   * @param count answers that the call is going to want
   * @throws FuseMeshError resource_exhausted where that many more cannot wait
   */
  call(count = 1): Call {
    const lane = String(this.#calls++);
    return {
      end: this.#inHand.take(count),
      write: (request, signal) => this.#write(lane, request, signal),
    };
  }

  /** @throws FuseMeshError as Scorer.score, resource_exhausted where too many wait already */
  async score(
    content: Parameters<TargetModel['score']>[0],
    topK: number,
    signal: AbortSignal,
  ): Promise<ScoredByStep> {
    const leave = this.#scores.take();
    try {
      return await this.model.score(content, topK, signal);
    } finally {
      leave();
    }
  }

  /** Who reads slowly holds no slot: the pieces wait for them. */
  async *#write(
    lane: string,
    { prompt, maxTokens, minStep = 0, ...request }: AnswerRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GeneratedPiece> {
    const { encoder, card } = this.model;
    const read = await promptOf(prompt, encoder, card.contextLength);
    const slot = await this.#slotFor(lane, minStep, signal);
    const generation = { ...request, ...read, maxTokens: maxTokens ?? card.contextLength };
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    const pieces = new PieceQueue<GeneratedPiece>();
    const give = (piece: GeneratedPiece) => pieces.put(piece);
    try {
      yield* pieces.until(this.#generate(generation, slot, minStep, give, leaving.signal));
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  async #generate(
    request: GenerationRequest,
    { waited, giveBack }: Slot,
    minStep: number,
    give: (piece: GeneratedPiece) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let begun: number | undefined;
    let end = 'failed';
    try {
      for await (const piece of this.model.generate(request, signal)) {
        if (begun === undefined) {
          begun = performance.now();
          this.#metrics.firstTokenSeconds.observe(secondsSince(waited));
          this.#metrics.promptTokens.inc(piece.promptTokens);
          if (piece.version < minStep) throw wentBack(minStep, piece.version);
        }
        this.#metrics.tokensGenerated.inc();
        if (piece.finishReason) end = piece.finishReason;
        give(piece);
      }
    } catch (error) {
      if (error instanceof FuseMeshError && error.code === 'cancelled') end = 'cancelled';
      throw error;
    } finally {
      giveBack();
      if (begun !== undefined) this.#metrics.answerSeconds.observe(secondsSince(begun));
      this.#metrics.answers.inc({ end });
    }
  }

  /** Weights as new as the call wants, and a slot. */
  async #slotFor(lane: string, minStep: number, signal: AbortSignal): Promise<Slot> {
    for (;;) {
      await this.#steps.reached(minStep, signal);
      const waited = performance.now();
      const giveBack = await this.#slots.begin({ lane, signal });
      if (this.step >= minStep) return { waited, giveBack };
      giveBack();
    }
  }
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

const wentBack = (minStep: number, version: number) =>
  new FuseMeshError(
    'unavailable',
    `The target service has weights of step ${version} again, and the call wants step ${minStep}: call again.`,
  );
