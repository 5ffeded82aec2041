import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { IncomingDocument, RunStreams } from '../../../wire/nats/run-streams.ts';
import type { LookAhead } from '../read/look-ahead.ts';

/** A document that has not come may only be late, unless a later one has come: then it is lost. */
const patience = 2_000;
const lookEvery = 250;

interface Fetching {
  readonly streams: Pick<RunStreams, 'requestDocument'>;
  /** SHA-256 over the run's documents, hexadecimal. */
  readonly corpus: string;
  /** One more than the last document that is wanted. */
  readonly until: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Asks the feeders for documents that the stream has lost, until aborted. What is not published yet is waited
 * for, and so is a feeder that is not there.
 *
 * @throws FuseMeshError already_exists when a feeder has another corpus
 */
export async function fetchMissing(
  documents: LookAhead<IncomingDocument>,
  { streams, corpus, until, signal, log }: Fetching,
): Promise<void> {
  const warning = new RepeatedWarning(log);
  let number = -1;
  let askAt = 0;
  let given = false;
  while (!signal.aborted) {
    const missing = !documents.ready && documents.nextNumber < until;
    if (missing && documents.nextNumber !== number) {
      // The one after a lost one is mostly lost too.
      const follows = given && documents.nextNumber === number + 1;
      askAt = performance.now() + (follows ? 0 : patience);
      number = documents.nextNumber;
      given = false;
    }
    if (missing && !given && (documents.passedOver || performance.now() >= askAt)) {
      given = await fetched();
      if (given) continue;
      askAt = performance.now() + patience;
    }
    await sleepUnlessAborted(lookEvery, signal);
  }

  async function fetched(): Promise<boolean> {
    const passedOver = documents.passedOver;
    try {
      const answer = await streams.requestDocument(corpus, number);
      if (answer === 'no feeder' && passedOver) {
        warning.warn(
          `Document ${number} is no longer in the run's stream, and no feeder answers: start \`fusemesh feed\` again.`,
        );
      }
      if (typeof answer === 'string') return false;
      log.warn({ document: number }, `Document ${number} was lost in the stream: the feeder gave it again`);
      warning.over();
      const { bytes, ...document } = answer;
      documents.put(number, document, { bytes });
      return true;
    } catch (error) {
      // A feeder that answers nonsense may be started again.
      const mayPass = error instanceof FuseMeshError && ['unavailable', 'data_loss'].includes(error.code);
      if (!mayPass) throw error;
      warning.warn(error.message);
      return false;
    }
  }
}
