import {
  type GetStatusResponse,
  type SourceStatus,
  TrainerState,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { grouped, percent } from '../format.ts';
import type { Rates } from './rates.ts';
import { isFull } from './stream-fill.ts';

/** What a part of the mesh does: it works, waits for another, keeps another waiting, or is away. */
export interface Standing {
  readonly kind: 'works' | 'waits' | 'late' | 'away';
  readonly text: string;
}

/** What a teacher does. */
export function standingOf(source: SourceStatus): Standing {
  const { attached, waitingForRoom, documentsMissing, lagDocuments, tokensPerSecond } = source;
  if (!attached) return { kind: 'away', text: 'not attached' };
  if (source.leftOut) return { kind: 'late', text: 'late: left out' };
  if (waitingForRoom) return { kind: 'waits', text: 'waits for room' };
  if (documentsMissing > 0) return { kind: 'late', text: `${grouped(documentsMissing)} late` };
  if (lagDocuments > 0n) return { kind: 'works', text: `${grouped(Number(lagDocuments))} to score` };
  return { kind: 'works', text: tokensPerSecond > 0 ? 'keeps up' : 'nothing to score' };
}

/** A trainer that waits for a larger share of its time is said to wait. */
const worthAWord = 0.1;

/** Who waits for whom, in a sentence. */
export function paceOf(status: GetStatusResponse, { waitShare = 0 }: Pick<Rates, 'waitShare'>): Standing {
  const { state, sources, rollouts } = status;
  if (state === TrainerState.FINISHED) return { kind: 'works', text: 'The run is finished.' };
  if (state === TrainerState.FAILED)
    return { kind: 'away', text: 'The trainer has failed; its log says why.' };
  const away = namesOf(sources.filter(({ attached, leftOut }) => !attached && !leftOut));
  if (away) return { kind: 'away', text: `The run waits for ${away}: not attached.` };
  if (state === TrainerState.STARTING) return { kind: 'waits', text: 'The trainer is starting.' };
  if (state === TrainerState.PAUSED) return { kind: 'waits', text: 'The training is paused.' };
  if (waitShare > worthAWord) {
    const late = namesOf(sources.filter(({ documentsMissing, leftOut }) => documentsMissing > 0 && !leftOut));
    const share = `${percent(waitShare)} of its time`;
    const documents = rollouts ? 'the corpus or what the target writes' : 'documents';
    return { kind: 'late', text: `The trainer waits for ${late || documents}, ${share}.` };
  }
  const leftOut = namesOf(sources.filter((source) => source.leftOut));
  if (leftOut) return { kind: 'late', text: `The run goes on without ${leftOut}.` };
  const waiting = sources.filter(({ waitingForRoom }) => waitingForRoom);
  if (waiting.length > 0) {
    const verb = waiting.length === 1 ? 'waits' : 'wait';
    return { kind: 'works', text: `The trainer sets the pace: ${namesOf(waiting)} ${verb} for room.` };
  }
  if (isFull(status.streams.find(({ name }) => name === 'documents'))) {
    return { kind: 'works', text: 'The trainer sets the pace: the corpus waits for room.' };
  }
  return { kind: 'works', text: 'Nobody waits for anybody.' };
}

const list = new Intl.ListFormat('en-GB');

const namesOf = (sources: readonly SourceStatus[]): string =>
  list.format(sources.map(({ teacher }) => teacher));
