import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { LookAhead } from './look-ahead.ts';

/** Longer than JetStream takes to deliver a document again whose teacher died (30 s). */
const overdueAfter = 45_000;
const lookEvery = 250;

/** A source that may owe a document. */
export interface Debtor {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
  /** Numbers of documents whose distribution came and could not be used: each is asked for at once, and taken out. */
  readonly unusable: Set<number>;
  /** Whether it works for the run and has nothing to do. */
  isIdle(): boolean;
  /** What it says about a document, asked directly, and can be used. */
  ask(document: Document): Promise<TextDistribution>;
}

/**
 * Asks a source directly for a document that it has not delivered though it has long had nothing to do: the
 * order to score it was lost, as when a NATS server forgets at a restart that it was not acknowledged. Goes on
 * until aborted.
 *
 * @param patience milliseconds that a source may be idle and owe a document
 */
export async function askForOverdue(
  { name, distributions, unusable, isIdle, ask }: Debtor,
  documents: LookAhead<Document>,
  { signal, log, patience = overdueAfter }: { signal: AbortSignal; log: Log; patience?: number },
): Promise<void> {
  let wait = patience;
  let owedSince: number | undefined;
  while (!signal.aborted) {
    const document = documents.next;
    if (document === undefined || distributions.ready) {
      owedSince = undefined;
    } else if (unusable.delete(Number(document.number))) {
      await deliver(document, 'sent what cannot be used for');
    } else if (!isIdle()) {
      owedSince = undefined;
      wait = patience;
    } else {
      owedSince ??= performance.now();
      if (performance.now() - owedSince >= wait) {
        owedSince = undefined;
        // What it lost once it mostly lost with others: those need not be waited for so long.
        wait = (await deliver(document, 'has nothing to do and owes')) ? 0 : patience;
      }
    }
    await sleep(lookEvery, undefined, { signal }).catch(() => {});
  }

  async function deliver(document: Document, why: string): Promise<boolean> {
    log.warn(
      { teacher: name, document: Number(document.number) },
      `Teacher ${name} ${why} document ${document.number}: asking for it directly`,
    );
    try {
      const distribution = await ask(document);
      if (documents.next === document && !distributions.ready) distributions.put(distribution);
      return true;
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      log.warn(
        { teacher: name, document: Number(document.number) },
        `Teacher ${name} gave no answer that can be used: ${error.message}`,
      );
      return false;
    }
  }
}
