import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import type { Log } from '../../process/log/log.ts';
import { RateMeter } from '../../process/metrics/rate-meter.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { refusedDistribution } from '../../wire/codec/text-distribution.ts';
import type { TeacherRunStatusSchema } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import type { DeliveredDocument, RunStreams } from '../../wire/nats/run-streams.ts';
import { countSeconds } from './count-seconds.ts';
import { gatherBatches } from './gather-batches.ts';
import { inFlight } from './in-flight.ts';
import { type ScoredDocuments, scoreDocuments } from './score-documents.ts';
import { scoredDistribution } from './scored-distribution.ts';
import type { RunMetrics } from './teacher-metrics.ts';
import type { TeacherTraces } from './teacher-traces.ts';

/** How long a batch that is not full waits for more documents. */
const patienceMilliseconds = 20;
/** Distributions on their way to the server at once: its answer to each takes as long as the way there and back. */
const publishedAtOnce = 8;
/** How often the server is told that documents in hand are still worked on; it gives up after 30 s. */
const workingEveryMilliseconds = 10_000;
/** How long a teacher that leaves waits for room for what it has scored. */
const leaveWithinMilliseconds = 2_000;

/** What a caller chooses when it attaches a teacher to a run. */
export interface AttachmentSettings {
  readonly run: string;
  /** The teacher's name in the run. */
  readonly teacher: string;
  readonly topK: number;
}

interface Workplace {
  readonly streams: Pick<RunStreams, 'consumeDocuments' | 'publishDistribution'>;
  readonly scorer: Pick<Scorer, 'score' | 'tokenizer' | 'card'>;
  /** Documents scored together. */
  readonly batchDocuments: number;
  readonly metrics: RunMetrics;
  readonly traces?: TeacherTraces | undefined;
  readonly log: Log;
}

/**
 * A teacher at work for one run: takes documents, scores them in batches, publishes their distributions and
 * only then acknowledges the documents, so that what a killed teacher had in hand goes to another replica.
 * One batch is published while the next is scored.
 */
export class RunAttachment {
  readonly settings: AttachmentSettings;
  /** Resolves when the teacher has left the run, rejects when the work failed. */
  readonly ended: Promise<void>;

  readonly #workplace: Workplace;
  readonly #taking = new AbortController();
  readonly #publishing = new AbortController();
  readonly #inHand = new Set<DeliveredDocument>();
  readonly #tokenRate = new RateMeter();
  #documentsScored = 0;
  #tokensScored = 0;
  #bytesPublished = 0;
  #publishesWaiting = 0;
  /** Of the time in which any publish waits for room. */
  #stopWaiting = () => {};

  constructor(settings: AttachmentSettings, workplace: Workplace) {
    this.settings = settings;
    this.#workplace = workplace;
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
      waitingForRoom: this.#publishesWaiting > 0,
    };
  }

  /** Takes no more documents, publishes those in hand where there is room, and leaves. */
  async detach(): Promise<void> {
    this.#taking.abort();
    const giveUp = setTimeout(() => this.#publishing.abort(), leaveWithinMilliseconds);
    try {
      await this.ended;
    } catch {
      // Why it failed is in the log and has gone to those who watch the run.
    } finally {
      clearTimeout(giveUp);
    }
  }

  async #work(): Promise<void> {
    const { log, batchDocuments } = this.#workplace;
    const { run, teacher } = this.settings;
    const working = setInterval(() => {
      for (const document of this.#inHand) document.working();
    }, workingEveryMilliseconds);
    try {
      let published: Promise<void> = Promise.resolve();
      const batches = gatherBatches(this.#documents(), {
        most: batchDocuments,
        patience: patienceMilliseconds,
      });
      for await (const batch of batches) {
        const scored = await this.#score(batch);
        await published;
        published = this.#publish(scored);
        published.catch(() => undefined);
      }
      await published;
    } catch (error) {
      if (!this.#publishing.signal.aborted) {
        log.error({ err: error }, `Teacher ${teacher} left run ${run}: ${(error as Error).message}`);
        throw error;
      }
    } finally {
      clearInterval(working);
      this.#taking.abort();
      this.#inHand.clear();
      this.#workplace.metrics.documentsInHand.set(0);
    }
    const documents = this.#documentsScored;
    log.info({ documents }, `Teacher ${teacher} has left run ${run}: it scored ${documents} documents`);
  }

  async *#documents(): AsyncGenerator<DeliveredDocument> {
    const { streams, batchDocuments, metrics } = this.#workplace;
    const documents = streams.consumeDocuments(this.settings.teacher, {
      batch: batchDocuments,
      signal: this.#taking.signal,
      onMalformed: ({ position, reason }) => this.#refused({ position }, reason),
    });
    for await (const document of documents) {
      this.#inHand.add(document);
      metrics.documentsInHand.set(this.#inHand.size);
      yield document;
    }
  }

  async #score(batch: readonly DeliveredDocument[]): Promise<ScoredDocuments> {
    const { scorer, metrics, traces, log } = this.#workplace;
    const began = performance.now();
    const stop = metrics.batchSeconds.startTimer();
    const outcome = await scoreDocuments(scorer, batch, this.settings.topK);
    const { accepted, scored } = outcome;
    stop();
    traces?.scored(accepted, scored, began);
    let tokens = 0;
    for (const { tokenization } of scored) tokens += tokenization.ids.length;
    this.#tokensScored += tokens;
    this.#tokenRate.add(tokens);
    metrics.tokensScored.inc(tokens);
    const documentNumbers = batch.map(({ document }) => Number(document.number));
    log.debug({ documentNumbers, tokens }, `A batch of ${batch.length} documents is scored`);
    metrics.doubtfulTokens.inc(scored.reduce((sum, { tokenization }) => sum + tokenization.doubtful, 0));
    return outcome;
  }

  async #publish({ accepted, scored, refused }: ScoredDocuments): Promise<void> {
    await inFlight(accepted, publishedAtOnce, (delivered, i, before) =>
      this.#publishOne(delivered, scored[i], before),
    );
    for (const { delivered, reason } of refused) await this.#refuse(delivered, reason);
  }

  /** The trainer hears of it where it waits for the distributions, and passes the document over. */
  async #refuse(delivered: DeliveredDocument, reason: string): Promise<void> {
    const { streams, scorer } = this.#workplace;
    const { teacher } = this.settings;
    const document = Number(delivered.document.number);
    const { fingerprint: tokenizerFingerprint } = scorer.tokenizer;
    const refused = refusedDistribution({ document, teacher, tokenizerFingerprint }, reason);
    const bytes = distributionToBytes(refused, scorer.card.vocabularySize);
    await streams.publishDistribution(teacher, document, bytes, { signal: this.#publishing.signal });
    await delivered.refuse(`Teacher ${teacher} cannot score it: ${reason}`);
    this.#inHand.delete(delivered);
    this.#workplace.metrics.documentsInHand.set(this.#inHand.size);
    this.#refused({ document }, reason);
  }

  #refused(which: { readonly document: number } | { readonly position: number }, reason: string): void {
    const { metrics, log } = this.#workplace;
    metrics.documentsRefused.inc();
    log.warn(which, `A document cannot be scored and goes to the dead letters: ${reason}`);
  }

  async #publishOne(
    delivered: DeliveredDocument,
    scored: ScoredText,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const { streams, scorer, metrics, traces } = this.#workplace;
    const { teacher, topK } = this.settings;
    const document = Number(delivered.document.number);
    const { fingerprint: tokenizerFingerprint } = scorer.tokenizer;
    const bytes = distributionToBytes(
      scoredDistribution(scored, { document, teacher, tokenizerFingerprint, topK }),
      scorer.card.vocabularySize,
    );

    let waits = false;
    const onWait = () => {
      waits = true;
      if (this.#publishesWaiting++ > 0) return;
      this.#stopWaiting = countSeconds((seconds) => metrics.publishWaitSeconds.inc(seconds));
    };
    const publishing = traces?.publishing(delivered, bytes);
    try {
      const { signal } = this.#publishing;
      const traceparent = traces && delivered.traceparent();
      await streams.publishDistribution(teacher, document, bytes, { signal, before, onWait, traceparent });
      publishing?.end();
    } catch (error) {
      publishing?.fail(error);
      throw error;
    } finally {
      if (waits && --this.#publishesWaiting === 0) this.#stopWaiting();
    }
    metrics.tokensPublished.inc(scored.tokenization.ids.length);
    metrics.publishedBytes.inc(bytes.length);
    this.#bytesPublished += bytes.length;
    await delivered.ack();
    this.#inHand.delete(delivered);
    this.#documentsScored++;
    metrics.documentsInHand.set(this.#inHand.size);
    metrics.documentsScored.inc();
  }
}

/** The status of an attachment, at once and then every `everyMilliseconds`, until it ends. */
export async function* watchAttachment(
  attachment: RunAttachment,
  signal: AbortSignal,
  everyMilliseconds = 1000,
): AsyncGenerator<ReturnType<RunAttachment['status']>> {
  let ended = false;
  const end = attachment.ended.finally(() => {
    ended = true;
  });
  end.catch(() => undefined);
  while (!signal.aborted) {
    yield attachment.status();
    if (ended) break;
    const pause = new AbortController();
    const stop = () => pause.abort();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([
      sleep(everyMilliseconds, undefined, { signal: pause.signal }).catch(() => undefined),
      end,
    ]).finally(() => {
      pause.abort();
      signal.removeEventListener('abort', stop);
    });
  }
}
