import type { MessageInitShape } from '@bufbuild/protobuf';
import { contentOf } from '../../../model/chat/conversation.ts';
import type { ScoredText } from '../../../model/scoring/scored-text.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RateMeter } from '../../../process/metrics/rate-meter.ts';
import { distributionToBytes } from '../../../wire/codec/distribution-bytes.ts';
import { refusedDistribution } from '../../../wire/codec/text-distribution.ts';
import type { TeacherRunStatusSchema } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { type DeliveredDocument, markEvery, type RunStreams } from '../../../wire/nats/run-streams.ts';
import type { RunMetrics } from '../metric-table.ts';
import { isRefused, type TeacherModel } from '../teacher-model.ts';
import { gatherBatches } from './gather-batches.ts';
import { inFlight } from './in-flight.ts';
import type { TeacherTraces } from './teacher-traces.ts';
import { WaitClock } from './wait-clock.ts';

/** How long a batch that is not full waits for more documents. */
const patienceMilliseconds = 20;
/** Distributions on their way to the server at once: each takes a round trip to be acknowledged. */
const publishedAtOnce = 8;
/** How long a teacher that leaves waits for room for what it has scored. */
const leaveWithinMilliseconds = 2_000;

/** What a caller chooses when it attaches a teacher to a run. */
export interface AttachmentSettings {
  readonly run: string;
  /** The teacher's name in the run. */
  readonly teacher: string;
  readonly topK: number;
  /** Share of the candidates' mass that is sent; left out, all of them are: see {@link distributionToBytes}. */
  readonly topP?: number | undefined;
}

/** What the work for one run takes. */
interface Tools {
  readonly streams: Pick<RunStreams, 'consumeDocuments' | 'publishDistribution'>;
  readonly model: Pick<TeacherModel, 'score' | 'tokenizer' | 'card' | 'textsAtOnce'>;
  /** Documents scored together, by a model that computes batches. */
  readonly batchDocuments: number;
  readonly metrics: RunMetrics;
  readonly traces?: TeacherTraces | undefined;
  readonly log: Log;
}

/** What came of a batch of documents. */
interface ScoredBatch {
  readonly accepted: readonly { readonly delivered: DeliveredDocument; readonly scored: ScoredText }[];
  /** Those that this model cannot score, and why. */
  readonly refused: readonly { readonly delivered: DeliveredDocument; readonly reason: string }[];
}

/**
 * A teacher at work for one run: takes documents, scores them in batches, publishes their distributions and
 * only then acknowledges the documents, so that what a killed teacher had in hand goes to another replica.
 * One batch is published while the next is scored. A model that works on texts side by side gets each on its own: one
 * that takes long holds up no other.
 */
export class RunAttachment {
  readonly settings: AttachmentSettings;
  /** Resolves when the teacher has left the run, rejects when the work failed. */
  readonly ended: Promise<void>;

  readonly #tools: Tools;
  readonly #taking = new AbortController();
  readonly #scoring = new AbortController();
  readonly #publishing = new AbortController();
  readonly #inHand = new Set<DeliveredDocument>();
  readonly #tokenRate = new RateMeter();
  /** Of the publishing that waits for room in the stream. */
  readonly #waits: WaitClock;
  #documentsScored = 0;
  #tokensScored = 0;
  #bytesPublished = 0;

  constructor(settings: AttachmentSettings, tools: Tools) {
    this.settings = settings;
    this.#tools = tools;
    this.#waits = new WaitClock((seconds) => tools.metrics.publishWaitSeconds.inc(seconds));
    this.ended = this.#work();
    this.ended.catch(() => undefined);
  }

  status(): Required<Omit<MessageInitShape<typeof TeacherRunStatusSchema>, '$typeName' | '$unknown'>> {
    return {
      documentsScored: BigInt(this.#documentsScored),
      tokensScored: BigInt(this.#tokensScored),
      bytesPublished: BigInt(this.#bytesPublished),
      tokensPerSecond: this.#tokenRate.perSecond(),
      documentsInHand: this.#inHand.size,
      waitingForRoom: this.#waits.waiting,
    };
  }

  /** Takes no more documents, publishes those in hand where there is room, and leaves. */
  async detach(): Promise<void> {
    this.#taking.abort();
    const giveUp = setTimeout(() => {
      this.#publishing.abort();
      this.#scoring.abort();
    }, leaveWithinMilliseconds);
    try {
      await this.ended;
    } catch {
      // Why it failed is in the log and has gone to those who watch the run.
    } finally {
      clearTimeout(giveUp);
    }
  }

  async #work(): Promise<void> {
    const { log, batchDocuments, model } = this.#tools;
    const { run, teacher } = this.settings;
    const working = setInterval(() => {
      for (const document of this.#inHand) document.working();
    }, markEvery);
    try {
      const batches = gatherBatches(this.#documents(), {
        most: model.textsAtOnce === undefined ? batchDocuments : 1,
        patience: patienceMilliseconds,
      });
      const lines = Array.from({ length: model.textsAtOnce ?? 1 }, () => this.#scoreAll(batches));
      await Promise.all(lines);
    } catch (error) {
      if (!this.#publishing.signal.aborted) {
        log.error({ err: error }, `Teacher ${teacher} left run ${run}: ${(error as Error).message}`);
        throw error;
      }
    } finally {
      clearInterval(working);
      this.#taking.abort();
      this.#scoring.abort();
      this.#inHand.clear();
      this.#tools.metrics.documentsInHand.set(0);
    }
    const documents = this.#documentsScored;
    log.info({ documents }, `Teacher ${teacher} has left run ${run}: it scored ${documents} documents`);
  }

  /** Takes batches, beside others who take them too, until there are no more. */
  async #scoreAll(batches: AsyncGenerator<DeliveredDocument[]>): Promise<void> {
    let published: Promise<void> = Promise.resolve();
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      const scored = await this.#score(next.value);
      await published;
      published = this.#publish(scored);
      published.catch(() => undefined);
    }
    await published;
  }

  async *#documents(): AsyncGenerator<DeliveredDocument> {
    const { streams, batchDocuments, model, metrics } = this.#tools;
    const documents = streams.consumeDocuments(this.settings.teacher, {
      batch: model.textsAtOnce ?? batchDocuments,
      signal: this.#taking.signal,
      onMalformed: ({ position, reason }) => this.#tellRefusal({ position }, reason),
    });
    for await (const document of documents) {
      this.#inHand.add(document);
      metrics.documentsInHand.set(this.#inHand.size);
      yield document;
    }
  }

  async #score(batch: readonly DeliveredDocument[]): Promise<ScoredBatch> {
    const { model, metrics, traces, log } = this.#tools;
    const { run, topK } = this.settings;
    const began = performance.now();
    const stopTimer = metrics.batchSeconds.startTimer();
    const contents = batch.map(({ document }) => contentOf(document));
    // In a lane of its own: the teacher's runs and callers take turns.
    const outcomes = await model.score(contents, topK, {
      lane: `run ${run}`,
      signal: this.#scoring.signal,
    });
    stopTimer();
    const accepted: ScoredBatch['accepted'][number][] = [];
    const refused: ScoredBatch['refused'][number][] = [];
    let tokens = 0;
    let doubtful = 0;
    for (const [i, delivered] of batch.entries()) {
      const outcome = outcomes[i];
      if (isRefused(outcome)) {
        refused.push({ delivered, reason: outcome.refusal });
        continue;
      }
      accepted.push({ delivered, scored: outcome });
      tokens += outcome.tokenIds.length;
      doubtful += outcome.doubtful;
    }
    traces?.scored(accepted, began);
    this.#tokensScored += tokens;
    this.#tokenRate.add(tokens);
    metrics.tokensScored.inc(tokens);
    metrics.doubtfulTokens.inc(doubtful);
    const documentNumbers = batch.map(({ document }) => Number(document.number));
    log.debug({ documentNumbers, tokens }, `A batch of ${batch.length} documents is scored`);
    return { accepted, refused };
  }

  async #publish({ accepted, refused }: ScoredBatch): Promise<void> {
    await inFlight(accepted, publishedAtOnce, ({ delivered, scored }, before) =>
      this.#publishScores(delivered, scored, before),
    );
    for (const { delivered, reason } of refused) await this.#publishRefusal(delivered, reason);
  }

  async #publishScores(
    delivered: DeliveredDocument,
    scored: ScoredText,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const { streams, model, metrics, traces } = this.#tools;
    const { teacher, topP } = this.settings;
    const document = Number(delivered.document.number);
    const { fingerprint: tokenizerFingerprint } = model.tokenizer;
    const bytes = distributionToBytes(
      { ...scored, document, teacher, tokenizerFingerprint },
      model.card.vocabularySize,
      topP,
    );

    let waits = false;
    const onWait = () => {
      waits = true;
      this.#waits.begin();
    };
    const span = traces?.publishing(delivered, bytes);
    try {
      const { signal } = this.#publishing;
      const traceparent = traces && delivered.traceparent();
      await streams.publishDistribution(teacher, document, bytes, { signal, before, onWait, traceparent });
      span?.end();
    } catch (error) {
      span?.fail(error);
      throw error;
    } finally {
      if (waits) this.#waits.end();
    }
    metrics.tokensPublished.inc(scored.tokenIds.length);
    metrics.publishedBytes.inc(bytes.length);
    this.#bytesPublished += bytes.length;
    await delivered.ack();
    this.#letGo(delivered);
    this.#documentsScored++;
    metrics.documentsScored.inc();
  }

  /** The trainer waits for the document's distribution: a refusal comes in its place, and it passes the document over. */
  async #publishRefusal(delivered: DeliveredDocument, reason: string): Promise<void> {
    const { streams, model } = this.#tools;
    const { teacher } = this.settings;
    const document = Number(delivered.document.number);
    const { fingerprint: tokenizerFingerprint } = model.tokenizer;
    const refused = refusedDistribution({ document, teacher, tokenizerFingerprint }, reason);
    const bytes = distributionToBytes(refused, model.card.vocabularySize);
    await streams.publishDistribution(teacher, document, bytes, { signal: this.#publishing.signal });
    await delivered.refuse(`Teacher ${teacher} cannot score it: ${reason}`);
    this.#letGo(delivered);
    this.#tellRefusal({ document }, reason);
  }

  #letGo(delivered: DeliveredDocument): void {
    this.#inHand.delete(delivered);
    this.#tools.metrics.documentsInHand.set(this.#inHand.size);
  }

  #tellRefusal(which: { readonly document: number } | { readonly position: number }, reason: string): void {
    const { metrics, log } = this.#tools;
    metrics.documentsRefused.inc();
    log.warn(which, `A document cannot be scored and goes to the dead letters: ${reason}`);
  }
}

/** The status of an attachment, at once and then every `everyMilliseconds`, until it ends or the signal aborts. */
export async function* watchAttachment(
  attachment: RunAttachment,
  signal: AbortSignal,
  everyMilliseconds = 1000,
): AsyncGenerator<ReturnType<RunAttachment['status']>> {
  const over = new AbortController();
  const ended = attachment.ended.finally(() => over.abort());
  ended.catch(() => undefined);
  const leaving = AbortSignal.any([signal, over.signal]);
  while (!signal.aborted) {
    yield attachment.status();
    if (over.signal.aborted) break;
    await sleepUnlessAborted(everyMilliseconds, leaving);
    if (over.signal.aborted) await ended;
  }
}
