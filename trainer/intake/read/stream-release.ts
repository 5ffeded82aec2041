import { repeatUntilAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { IncomingDocument, RunStreams, StreamPosition } from '../../../wire/nats/run-streams.ts';
import type { LookAhead, SourceQueue } from './look-ahead.ts';

const lookEvery = 1_000;
/** A NATS server that was killed may hold again what was released from it. */
const releaseAgainAfter = 5_000;

/**
 * Takes from the streams what the newest checkpoint covers, which makes room for feeder and teachers. It looks
 * again every second: what a trainer that was killed between a checkpoint and its release
 * left is released after the restart, and so are copies of covered documents that come late, wherever they stand.
 */
export class StreamRelease {
  readonly #streams: Pick<RunStreams, 'releaseDocuments' | 'releaseDistributions' | 'removeDistributions'>;
  readonly #documents: LookAhead<IncomingDocument>;
  readonly #sources: readonly SourceQueue[];
  readonly #warning: RepeatedWarning;
  readonly #released = new Map<string, StreamPosition>();
  #releaseAllAt = 0;
  #covered: number;

  /** @param covered how many documents the newest checkpoint covers */
  constructor(
    streams: Pick<RunStreams, 'releaseDocuments' | 'releaseDistributions' | 'removeDistributions'>,
    { documents, sources }: { documents: LookAhead<IncomingDocument>; sources: readonly SourceQueue[] },
    covered: number,
    log: Log,
  ) {
    this.#streams = streams;
    this.#documents = documents;
    this.#sources = sources;
    this.#covered = covered;
    this.#warning = new RepeatedWarning(log);
  }

  /** A checkpoint is on disk: documents before this one are never needed again. */
  async cover(documents: number): Promise<void> {
    this.#covered = documents;
    await this.#release();
  }

  /** The newest checkpoint covers the documents before this one. */
  get covered(): number {
    return this.#covered;
  }

  /** Releases what is covered, again and again until aborted. */
  async keepReleasing(signal: AbortSignal): Promise<void> {
    await repeatUntilAborted({ pause: lookEvery, signal }, () => this.#release());
  }

  async #release(): Promise<void> {
    const covered = this.#covered;
    const all = performance.now() >= this.#releaseAllAt;
    try {
      this.#documents.forget(covered);
      // A feeder that fills a lost stream again may publish covered documents at any time.
      await this.#streams.releaseDocuments(covered);
      for (const { name, distributions } of this.#sources) {
        distributions.forget(covered);
        const { life, coveredPosition: position } = distributions;
        // Without it, copies of covered documents would fill the stream, and the next wanted one found no room in it.
        const strays = distributions.takeStrays();
        if (strays.length > 0) await this.#streams.removeDistributions(strays, life);
        const released = this.#released.get(name);
        const isNews = position > (released?.position ?? 0) || life !== released?.life;
        if (position === 0 || !(isNews || all)) continue;
        await this.#streams.releaseDistributions(name, { position, life });
        this.#released.set(name, { position, life });
      }
      if (all) this.#releaseAllAt = performance.now() + releaseAgainAfter;
      this.#warning.over();
    } catch (error) {
      // Nothing is lost by it: what was not released is released at the next look.
      this.#warning.warn(`Cannot release what the checkpoint covers: ${(error as Error).message}`);
    }
  }
}
