import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { IncomingDocument } from '../../../wire/nats/run-streams.ts';
import type { LookAhead } from '../read/look-ahead.ts';

/** Longer than JetStream takes to deliver a document again whose teacher died (10 s). */
const overdueAfter = 20_000;
/** What is done and not here may still be on its way. Longer than from one look at the streams to the next. */
const lostAfter = 3_000;
const lookEvery = 250;
const askedAtOnce = 8;

/** A document that a source can be asked about. */
export type AskedDocument = Extract<IncomingDocument, { readonly text: string }>;

/** A source that may owe a document. */
export interface Debtor {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
  /** Whether it works for the run and has nothing to do. */
  isIdle(): boolean;
  /** Whether it works for the run and, as NATS has it, is done with a document: nothing more will come. */
  isDone(document: number): boolean;
  /** Asks it about a document directly; the answer can be used. */
  ask(document: AskedDocument): Promise<TextDistribution>;
}

/**
 * Asks a source directly for documents that it has not delivered: at once for what came and was rejected, soon for
 * what is lost, as it vanished from the streams, and after some patience for what the source owes though it is idle.
 * Runs until aborted.
 *
 * @param patience milliseconds that a source may be idle and owe a document
 */
export async function askForOverdue(
  debtor: Debtor,
  documents: LookAhead<IncomingDocument>,
  { signal, log, patience = overdueAfter }: { signal: AbortSignal; log: Log; patience?: number },
): Promise<void> {
  const { name, distributions, isIdle, isDone, ask } = debtor;
  let healing = false;
  let owedSince: number | undefined;
  while (!signal.aborted) {
    const next = documents.peek(documents.nextNumber);
    const isOwed =
      next !== undefined &&
      next.unusable === undefined &&
      !distributions.ready &&
      documents.nextNumber === distributions.nextNumber;
    const lost = isOwed && isDone(documents.nextNumber);
    if (isOwed && distributions.takeRejected(documents.nextNumber)) {
      await deliver(next, 'sent what cannot be used for');
    } else if (isOwed && (lost || isIdle())) {
      owedSince ??= performance.now();
      const wait = healing ? 0 : Math.min(patience, lost ? lostAfter : patience);
      if (performance.now() - owedSince >= wait) {
        // A source mostly loses several documents at once, so the others are asked for without patience.
        const answers: boolean[] = await Promise.all(
          owed(healing ? askedAtOnce : 1).map((document) => deliver(document, 'does not work on')),
        );
        healing = answers.every(Boolean);
        owedSince = undefined;
        if (healing) continue;
      }
    } else {
      owedSince = undefined;
      if (isOwed) healing = false;
    }
    await sleepUnlessAborted(lookEvery, signal);
  }

  /** The first documents that are here and that it owes. */
  function owed(most: number): AskedDocument[] {
    const numbers = [...documents.numbers].filter((number) => !distributions.has(number));
    const isLost = (number: number) => number === documents.nextNumber || isDone(number) || isIdle();
    return numbers
      .sort((a, b) => a - b)
      .filter(isLost)
      .map((number) => documents.peek(number)!)
      .filter((document) => document.unusable === undefined)
      .slice(0, most);
  }

  async function deliver(document: AskedDocument, why: string): Promise<boolean> {
    const { number } = document;
    log.warn(
      { teacher: name, document: number },
      `Teacher ${name} ${why} document ${number}, which it owes: asking for it directly`,
    );
    try {
      const distribution = await ask(document);
      distributions.put(number, distribution);
      return true;
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      log.warn(
        { teacher: name, document: number },
        `Teacher ${name} gave no answer that can be used: ${error.message}`,
      );
      return false;
    }
  }
}
