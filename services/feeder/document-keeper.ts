import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { repeatUntilAborted, sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { unlessAborted } from '../../process/lifecycle/unless-aborted.ts';
import type { Log } from '../../process/log/log.ts';
import { RepeatedWarning } from '../../process/log/repeated-warning.ts';
import type { CorpusManifest, Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { RunStreams } from '../../wire/nats/run-streams.ts';
import type { PublishDocument } from './traced-publishing.ts';

/** How often it is looked whether all is still there, in milliseconds. */
const lookEvery = 1_000;

/** The documents of a run. */
export interface RunDocuments {
  readonly count: number;
  at(number: number): Document | Promise<Document>;
}

/** Where the documents' stream stands. */
type Published = NonNullable<Awaited<ReturnType<RunStreams['publishedCorpus']>>>;

interface Corpus {
  /** All documents, by number; those that are still to be written come when they are. */
  readonly documents: RunDocuments;
  readonly manifest: CorpusManifest;
  readonly streams: Pick<RunStreams, 'publishManifest' | 'publishedCorpus'>;
  readonly publish: PublishDocument;
  readonly log: Log;
}

interface Keeping {
  readonly signal: AbortSignal;
  /** Called with the number of documents published, once that is known and after each. */
  onProgress(published: number): void;
  /** Called when the run is known to have this corpus. */
  onBegun(): void;
  /** Called when all are published, with how many of them by us. */
  onPublished(ours: number): void;
}

/** Puts the documents of a run into its stream, and keeps them there as long as they may be needed. */
export class DocumentKeeper {
  readonly #corpus: Corpus;
  /** Number of the last that was ever published. */
  #last = -1;
  /** Number of the first that had not been released when the stream was last seen. */
  #needed = 0;
  #ours = 0;

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  /** A document that was published; undefined for others. */
  async get(number: number): Promise<Document | undefined> {
    return number <= this.#last ? await this.#corpus.documents.at(number) : undefined;
  }

  /**
   * Publishes all documents, and again what the stream has lost, be it its end or all, until aborted.
   *
   * @returns whether all were published
   * @throws FuseMeshError already_exists when the run has another corpus
   */
  async keepPublished(keeping: Keeping): Promise<boolean> {
    const { signal, onProgress, onBegun, onPublished } = keeping;
    const warning = new RepeatedWarning(this.#corpus.log);
    const onFailure = (error: FuseMeshError) => {
      if (error.code !== 'unavailable') throw error;
      warning.warn(`Cannot publish documents, trying again: ${error.message}`);
    };
    let begun = false;
    let told = false;
    await repeatUntilAborted({ pause: lookEvery, signal, onFailure }, async () => {
      const numbering = await this.#look(signal);
      if (!begun) {
        onBegun();
        onProgress(this.#last + 1);
      }
      begun = true;
      if (numbering !== undefined && (await this.#publishRest(numbering, keeping)) && !told) {
        told = true;
        onPublished(this.#ours);
      }
      warning.over();
    });
    return told;
  }

  /** Where the stream stands, with our manifest in it; undefined where it has vanished in the meantime. */
  async #look(signal: AbortSignal) {
    const { streams, manifest } = this.#corpus;
    await streams.publishManifest(manifest, { first: this.#needed, signal });
    const found = await streams.publishedCorpus();
    if (found !== undefined) {
      this.#needed = Math.max(this.#needed, found.firstHeld);
      this.#last = Math.max(this.#last, found.last);
    }
    return found;
  }

  /** @returns whether all are there; false where the stream has changed meanwhile */
  async #publishRest(numbering: Published, { signal, onProgress }: Keeping): Promise<boolean> {
    const { documents, publish, log } = this.#corpus;
    const next = numbering.last + 1;
    if (next >= documents.count) return true;
    if (numbering.last < this.#last) {
      log.warn({ document: next }, `The stream has lost documents: publishing again from ${next}`);
    }
    const stop = new AbortController();
    const until = AbortSignal.any([signal, stop.signal]);
    const place = { numbering, stored: numbering.last };
    const watching = this.#untilChanged(place, until).finally(() => stop.abort());
    // The end of the publishing tells what it was.
    watching.catch(() => undefined);
    try {
      for (let number = next; number < documents.count; number++) {
        const document = await this.#whenThere(number, until);
        if (document === undefined || !(await publish(document, { signal: until, numbering }))) return false;
        place.stored = number;
        if (number <= this.#last) continue;
        this.#last = number;
        this.#ours++;
        onProgress(number + 1);
      }
      return true;
    } catch (error) {
      const isStopped = error instanceof FuseMeshError && error.code === 'cancelled';
      if (!isStopped || signal.aborted) throw error;
      await watching;
      return false;
    } finally {
      stop.abort();
      await watching.catch(() => undefined);
    }
  }

  /**
   * Looks at the stream while documents wait for room in it, or to be written: a trainer that starts waits for the
   * manifest, and until it trains nobody makes room. Returns when the stream has lost something, or when aborted.
   */
  async #untilChanged(
    place: { readonly numbering: Published; readonly stored: number },
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await sleepUnlessAborted(lookEvery, signal);
      if (signal.aborted) return;
      const { stored } = place;
      const { manifestPosition, last } = (await this.#look(signal)) ?? {};
      if (manifestPosition !== place.numbering.manifestPosition || last === undefined || last < stored)
        return;
    }
  }

  /** The next document to be published; undefined where nobody waits for it any more. */
  async #whenThere(number: number, until: AbortSignal): Promise<Document | undefined> {
    const document = this.#corpus.documents.at(number);
    if (!(document instanceof Promise)) return document;
    document.catch(() => undefined);
    return unlessAborted(document, until);
  }
}
