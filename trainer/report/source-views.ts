import type { JoinedSource } from '../intake/join/join-documents.ts';
import type { Intake } from '../intake/read/intake.ts';
import type { Source } from '../intake/sources/source.ts';
import type { RunStatus, SourceView } from './run-status.ts';

/** What others have counted. */
interface WhatIsKnown {
  /** By source: in how many documents it taught. */
  readonly documentsChosen: Readonly<Record<string, number>>;
  /** By source: how many documents were trained on without it. */
  readonly documentsWithout: Readonly<Record<string, number>>;
  /** Whether the training goes on without a source. */
  readonly isLeftOut: (name: string) => boolean;
  readonly intake: Intake;
  readonly streams: RunStatus['streams'];
}

/** Before anything has been trained on. */
export const nothingKnown = { documentsChosen: {}, documentsWithout: {}, isLeftOut: () => false };

/**
 * The sources as the status tells of them.
 *
 * @param joined the same sources' parts of the join; none before it begins
 */
export function sourceViews(
  sources: readonly Source[],
  joined: readonly JoinedSource[],
  { documentsChosen, documentsWithout, isLeftOut, intake, streams }: WhatIsKnown,
): SourceView[] {
  const delivered = deliveredBySome(joined);
  const lags = new Map(streams?.lags.map(({ teacher, documents }) => [teacher, documents]));
  return sources.map(({ name, attached, working, said }, i) => ({
    ...{ name, attached, replicas: working.length },
    ...intake.of(name),
    queueDepth: joined[i]?.distributions.size ?? 0,
    documentsChosen: documentsChosen[name] ?? 0,
    documentsWithout: documentsWithout[name] ?? 0,
    leftOut: isLeftOut(name),
    tokensPerSecond: said.tokensPerSecond,
    documentsScored: Number(said.documentsScored),
    waitingForRoom: said.waitingForRoom,
    documentsMissing: delivered.size - (joined[i]?.distributions.size ?? 0),
    lagDocuments: lags.get(name) ?? 0,
  }));
}

/** Documents that some sources, but not all, have delivered. */
export function countPartlyCome(joined: readonly JoinedSource[]): number {
  let partly = 0;
  for (const count of deliveredBySome(joined).values()) if (count < joined.length) partly++;
  return partly;
}

/** How many sources have delivered each document that waits. */
function deliveredBySome(joined: readonly JoinedSource[]): Map<number, number> {
  const delivered = new Map<number, number>();
  for (const { distributions } of joined) {
    for (const number of distributions.numbers) delivered.set(number, (delivered.get(number) ?? 0) + 1);
  }
  return delivered;
}
