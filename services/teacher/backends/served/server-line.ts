import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import { Notifier } from '../../../../process/lifecycle/notifier.ts';
import { sleepUnlessAborted } from '../../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../../process/log/log.ts';
import { backoff } from './backoff.ts';
import {
  type Acquaintance,
  type Expectations,
  expectSameModel,
  meetAgain,
  meetServer,
} from './meet-server.ts';
import { RequestWindow } from './request-window.ts';
import type { ServedServer } from './served-server.ts';

/** A server that answers is looked at again so often, in milliseconds, while it has work. */
const probeEvery = 600_000;
/** After so many texts, one is scored that was scored before. */
const lookEvery = 256;

/** What a line of a model tells it. */
export interface LineEvents {
  /** The server answers, or does so no more. */
  readonly onChange: () => void;
  /** @returns what the model was like when a server of it was met first: this meeting, where that is the first */
  readonly onMet: (met: Acquaintance, url: string) => Acquaintance;
  /** It can never be used as it is. */
  readonly onFailure: (failure: FuseMeshError) => void;
}

/** One server of a model: whether it can be used now, and how many requests it may have. */
export class ServerLine {
  readonly server: ServedServer;
  readonly window: RequestWindow;
  /** Of meetings; a failure that began before the last one says nothing of the server now. */
  meetings = 0;
  isUp = false;
  /** Changes of its connections before the last look that found the model as it was. */
  #knownAt = -1;
  #looking: Promise<void> | undefined;
  #good = 0;
  #known: Acquaintance | undefined;
  #signal: AbortSignal | undefined;

  readonly #expected: Expectations;
  readonly #events: LineEvents;
  readonly #log: Log;
  readonly #notifier = new Notifier();
  #lookAgain = false;
  #goodAtMeeting = 0;

  constructor(server: ServedServer, inFlight: number, expected: Expectations, events: LineEvents, log: Log) {
    this.server = server;
    this.window = new RequestWindow(inFlight);
    this.#expected = expected;
    this.#events = events;
    this.#log = log;
  }

  get hasRoom(): boolean {
    return this.isUp && this.window.hasRoom;
  }

  /** Good answers and meetings so far: tells whether the server worked since something failed. */
  get good(): number {
    return this.#good;
  }

  /** It has answered well. Its model is looked at now and then, while it goes on. */
  countGood(): void {
    if (++this.#good % lookEvery === 0) void this.#look();
  }

  /**
   * Whether the model that was met has given what was just received. A server that is exchanged closes its connections,
   * so an answer that came before any connection changed is the model's. Otherwise it is looked at: where it is as it
   * was after the answer, it was so before.
   *
   * @returns false where nobody can tell: it was lost, or another model answers
   */
  async vouches(): Promise<boolean> {
    const { changes } = this.server;
    while (this.#knownAt < changes && this.isUp && !this.#signal?.aborted) await this.#look();
    return this.#knownAt >= changes;
  }

  /** One look at a time: whoever asks meanwhile waits for that one. */
  async #look(): Promise<void> {
    if (!this.#known || !this.#signal) return;
    this.#looking ??= this.#lookOnce(this.#known, this.#signal).finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #lookOnce(known: Acquaintance, signal: AbortSignal): Promise<void> {
    const { meetings } = this;
    for (let tries = 1; this.isUp && meetings === this.meetings && !signal.aborted; tries++) {
      try {
        this.#knownAt = await this.#compare(known, signal);
        this.#good++;
        this.#events.onChange();
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) this.#events.onFailure(asFailure(error));
        else if (error.code !== 'resource_exhausted') this.lose(error.message, meetings);
        else await sleepUnlessAborted(backoff(tries), signal);
      }
    }
  }

  /**
   * @returns the changes of its connections before the look
   * @throws FuseMeshError as {@link meetAgain}
   */
  async #compare(known: Acquaintance, signal: AbortSignal): Promise<number> {
    const { changes } = this.server;
    await meetAgain(this.server, this.#expected, known, signal);
    return changes;
  }

  /** It was not to be reached: nothing is sent before it was met again. */
  lose(reason: string, meeting: number): void {
    if (!this.isUp || meeting !== this.meetings) return;
    this.isUp = false;
    this.#log.warn({ url: this.server.url }, `${reason}: texts wait until it answers again`);
    this.#events.onChange();
    this.#notifier.notifyAll();
  }

  /** Has its model probed soon, while it goes on. */
  suspect(): void {
    this.#lookAgain = true;
    this.#notifier.notifyAll();
  }

  /** Meets the server, again after it was lost and now and then, until aborted. */
  async keep(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const wake = () => this.#notifier.notifyAll();
    signal.addEventListener('abort', wake, { once: true });
    let tries = 0;
    while (!signal.aborted) {
      try {
        await this.#meet(signal);
        tries = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) {
          this.#events.onFailure(asFailure(error));
          return;
        }
        if (tries++ === 0) this.#log.info({ url: this.server.url }, `${error.message}: it is waited for`);
        this.lose(error.message, this.meetings);
        await sleepUnlessAborted(backoff(tries), signal);
        continue;
      }
      // Woken when it is lost or suspected; else when the time is over, and there is nothing to see without work.
      do await this.#notifier.next(probeEvery);
      while (this.isUp && !this.#lookAgain && !signal.aborted && this.good === this.#goodAtMeeting);
    }
  }

  async #meet(signal: AbortSignal): Promise<void> {
    this.#lookAgain = false;
    const { url } = this.server;
    const met = await meetServer(this.server, this.#expected, signal);
    // Had it been exchanged in the middle of that, this would tell.
    const knownAt = await this.#compare(met, signal);
    this.#known = this.#events.onMet(met, url);
    expectSameModel(url, this.#known.values, met.values);
    this.#knownAt = knownAt;
    this.meetings++;
    this.#good++;
    this.#goodAtMeeting = this.#good;
    if (this.isUp) return;
    this.isUp = true;
    const { version, difference } = met;
    this.#log.info(
      { url, version, difference },
      `${this.server.protocol.server} ${version} at ${url} has passed the probe: ${difference.toExponential(1)} nats`,
    );
    this.#events.onChange();
  }
}

const isPassing = (error: unknown): error is FuseMeshError =>
  error instanceof FuseMeshError && (error.code === 'unavailable' || error.code === 'resource_exhausted');

const asFailure = (error: unknown): FuseMeshError =>
  error instanceof FuseMeshError ? error : new FuseMeshError('internal', String(error), { cause: error });
