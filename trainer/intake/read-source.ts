import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { distributionCheck } from '../../wire/codec/check-distribution.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { OpenedTraining } from '../training-context.ts';
import { askForOverdue, type Debtor } from './heal/ask-for-overdue.ts';
import { isDone } from './heal/is-done.ts';
import type { Arrivals } from './read/arrivals.ts';
import type { IntakeObserver } from './read/intake.ts';
import type { LookAhead } from './read/look-ahead.ts';
import { readDistributionsInto } from './read/read-distributions.ts';
import type { ComparedSource } from './read/withdraw-unfit.ts';
import { askSource } from './sources/ask-source.ts';
import type { Source } from './sources/source.ts';

/** Where a source's distributions go, and who hears of them. */
export interface SourcePlace {
  readonly joined: ComparedSource;
  readonly documents: LookAhead<Document>;
  /** Documents of the run. */
  readonly documentsOfRun: number;
  readonly intake: IntakeObserver;
  readonly arrivals?: Arrivals | undefined;
  readonly topK: number;
  /** Whether it is asked for what it owes. */
  mayOwe(): boolean;
}

/**
 * Begins to read what a source says, and to ask it for what it owes.
 *
 * @param source whose vocabulary's size is known
 * @param tokenizer its own
 */
export function readSource(
  source: Source,
  { fingerprint, vocabularySize: tokens }: Pick<Tokenizer, 'fingerprint' | 'vocabularySize'>,
  { joined, documents, documentsOfRun, intake, arrivals, topK, mayOwe }: SourcePlace,
  { tasks, streams, status, log }: Pick<OpenedTraining, 'tasks' | 'streams' | 'status' | 'log'>,
): void {
  const { name, distributions, unusable } = joined;
  const { vocabularySize: candidates } = source;
  const check = distributionCheck({
    teacher: name,
    documents: documentsOfRun,
    ...{ fingerprint, tokens, candidates },
  });
  const reader = { teacher: name, check, distributions, unusable, intake, arrivals };
  tasks.run((signal) => readDistributionsInto(reader, streams, { signal, log }));
  tasks.run((signal) => {
    const debtor: Debtor = {
      ...{ name, distributions, unusable },
      isIdle: () => source.attached && source.said.documentsInHand === 0 && mayOwe(),
      isDone: (document) =>
        source.attached && mayOwe() && isDone(status.streams, name, documents.positionOf(document)),
      ask: async (document) => {
        const answer = await askSource(source, document, { topK, fingerprint, check, signal });
        arrivals?.arrived(answer.document, name);
        return answer;
      },
    };
    return askForOverdue(debtor, documents, { signal, log });
  });
}
