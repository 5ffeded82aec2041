import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import { RepeatedWarning } from '../../mesh/log/repeated-warning.ts';
import type { RunStreams } from '../../mesh/nats/run-streams.ts';
import type { Join, JoinedSource } from './join-documents.ts';
import type { LookAhead } from './look-ahead.ts';

const lookEvery = 1_000;

/**
 * Takes from the streams what the newest checkpoint covers, which makes room for feeder and teachers. It looks
 * again every second: a trainer that was killed between a checkpoint and the release does it after it came
 * back, and copies of covered documents that come late go too.
 */
export class StreamRelease {
  readonly #streams: Pick<RunStreams, 'releaseDocuments' | 'releaseDistributions'>;
  readonly #documents: LookAhead<Document>;
  readonly #sources: readonly JoinedSource[];
  readonly #warning: RepeatedWarning;
  readonly #releasedPositions = new Map<string, number>();
  #releasedDocuments = 0;
  #covered: number;

  /** @param covered how many documents the newest checkpoint covers */
  constructor(
    streams: Pick<RunStreams, 'releaseDocuments' | 'releaseDistributions'>,
    { documents, sources }: Pick<Join, 'documents' | 'sources'>,
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

  /** Keeps on until aborted. */
  async keepOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#release();
      await sleep(lookEvery, undefined, { signal }).catch(() => {});
    }
  }

  async #release(): Promise<void> {
    const covered = this.#covered;
    try {
      this.#documents.forget(covered);
      if (covered > this.#releasedDocuments) {
        // Until one that is needed has come, a feeder that fills a new stream may still bring covered ones.
        const allHaveCome = this.#documents.begun;
        await this.#streams.releaseDocuments(covered);
        if (allHaveCome) this.#releasedDocuments = covered;
      }
      for (const { name, distributions } of this.#sources) {
        distributions.forget(covered);
        const position = distributions.coveredPosition;
        if (position <= (this.#releasedPositions.get(name) ?? 0)) continue;
        await this.#streams.releaseDistributions(name, position);
        this.#releasedPositions.set(name, position);
      }
      this.#warning.over();
    } catch (error) {
      // Nothing is lost by it: what was not released is released at the next look.
      this.#warning.warn(`Cannot release what the checkpoint covers: ${(error as Error).message}`);
    }
  }
}
