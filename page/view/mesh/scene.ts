import { timestampDate } from '@bufbuild/protobuf/wkt';
import {
  type GetStatusResponse,
  type SourceStatus,
  type StreamStatus,
  TrainerState,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { coloursOf, trainerColour } from '../charts/colours.ts';
import { bytes, counted, duration, grouped, percent, rate } from '../format.ts';
import type { Rates } from './rates.ts';
import { type Standing, standingOf } from './standing.ts';
import { fillOf, isFull } from './stream-fill.ts';

/** A part of the mesh, as it is drawn. */
export interface Part {
  readonly id: string;
  readonly column: 'corpus' | 'documents' | 'teachers' | 'distributions' | 'trainer';
  readonly title: string;
  /** The figure that matters, if any. */
  readonly figure?: string;
  readonly lines: readonly string[];
  readonly standing: Standing['kind'];
  /** A CSS variable. */
  readonly colour?: string;
  /** How full a stream is, 0 to 1. */
  readonly fill?: number;
}

/** Data goes this way from one part to another. */
export interface Way {
  readonly from: string;
  readonly to: string;
  /** Nothing can at the moment. */
  readonly stopped: boolean;
  readonly label: string;
}

export interface Scene {
  readonly parts: readonly Part[];
  readonly ways: readonly Way[];
}

/** The parts of the mesh and the ways between them, with their texts. */
export function sceneOf(status: GetStatusResponse, rates: Rates, now: Date): Scene {
  const { sources } = status;
  const stream = (name: string) => status.streams.find((candidate) => candidate.name === name);
  const documents = stream('documents');
  const full = isFull(documents);
  const letters = Number(stream('dead-letters')?.messages ?? 0n);
  const colourOf = coloursOf(sources.map(({ teacher }) => teacher));
  const parts: Part[] = [
    {
      id: 'corpus',
      column: 'corpus',
      title: status.rollouts ? 'Corpus, rollouts' : 'Corpus',
      ...(status.rollouts?.last && { figure: `${rate(status.rollouts.last.tokensPerSecond)} tok/s` }),
      lines: [
        ...(full ? ['waits for room'] : []),
        status.documentsTotal > 0n ? counted(Number(status.documentsTotal), 'document') : 'being counted',
      ],
      standing: full ? 'waits' : 'works',
    },
    streamPart('documents', 'Documents', documents, 1),
    ...sources.map((source) => teacherPart(source, colourOf(source.teacher))),
    streamPart('distributions', 'Distributions', stream('distributions'), sources.length),
    trainerPart(status, rates),
    checkpointPart(status, now),
    ...(letters > 0 ? [lettersPart(letters, sources)] : []),
  ];
  return { parts, ways: waysOf(status, rates, full, letters > 0) };
}

function waysOf({ sources }: GetStatusResponse, rates: Rates, full: boolean, letters: boolean): Way[] {
  const way = (from: string, to: string, label = '', stopped = false): Way => ({ from, to, label, stopped });
  return [
    way('corpus', 'documents', '', full),
    ...sources.map(({ teacher, attached }) => way('documents', teacherId(teacher), '', !attached)),
    ...sources.map(({ teacher, attached, waitingForRoom }) => {
      const scored = rates.scored.get(teacher);
      const label = scored === undefined ? '' : `${rate(scored)} doc/s`;
      return way(teacherId(teacher), 'distributions', label, waitingForRoom || !attached);
    }),
    way('distributions', 'trainer', rates.bytes === undefined ? '' : `${bytes(rates.bytes)}/s`),
    way('trainer', 'checkpoint'),
    ...(letters ? [way('distributions', 'letters')] : []),
  ];
}

const teacherId = (teacher: string): string => `teacher ${teacher}`;

function teacherPart(source: SourceStatus, colour: string): Part {
  const { kind, text } = standingOf(source);
  const queued = `${grouped(source.queueDepth)} queued`;
  return {
    id: teacherId(source.teacher),
    column: 'teachers',
    title: source.teacher,
    figure: `${rate(source.tokensPerSecond)} tok/s`,
    lines: [source.attached ? `${text}, ${queued}` : text],
    standing: kind,
    colour,
  };
}

function streamPart(
  id: 'documents' | 'distributions',
  title: string,
  stream: StreamStatus | undefined,
  sharers: number,
): Part {
  if (stream === undefined) return { id, column: id, title, lines: ['not asked yet'], standing: 'works' };
  const most = Number(stream.mostMessages) * sharers;
  const fill = fillOf(stream, sharers);
  return {
    id,
    column: id,
    title,
    figure: percent(fill),
    lines: [`${grouped(Number(stream.messages))} of ${grouped(most)}`, bytes(Number(stream.bytes))],
    standing: 'works',
    fill,
  };
}

function trainerPart({ state, tokensPerSecond, documentsWaiting }: GetStatusResponse, rates: Rates): Part {
  const { waitShare } = rates;
  const training = state === TrainerState.TRAINING;
  const late = training && waitShare !== undefined && waitShare > 0.1;
  return {
    id: 'trainer',
    column: 'trainer',
    title: 'Trainer',
    figure: `${rate(tokensPerSecond)} tok/s`,
    lines: [
      ...(training && waitShare !== undefined ? [`waits ${percent(waitShare)} of the time`] : []),
      ...(rates.documents === undefined ? [] : [`${rate(rates.documents)} doc/s`]),
      ...(documentsWaiting > 0 ? [`${counted(documentsWaiting, 'document')} partly here`] : []),
    ],
    standing: late ? 'late' : 'works',
    colour: trainerColour,
  };
}

function checkpointPart({ checkpointStep, checkpointTime }: GetStatusResponse, now: Date): Part {
  const seconds = checkpointTime && (now.getTime() - timestampDate(checkpointTime).getTime()) / 1000;
  const written = seconds !== undefined;
  return {
    id: 'checkpoint',
    column: 'trainer',
    title: 'Checkpoint',
    lines: written ? [`step ${grouped(Number(checkpointStep))}, ${duration(seconds)} ago`] : ['none yet'],
    standing: 'works',
  };
}

function lettersPart(letters: number, sources: readonly SourceStatus[]): Part {
  const culprits = sources.filter(({ deadLetters }) => deadLetters > 0n).map(({ teacher }) => teacher);
  return {
    id: 'letters',
    column: 'distributions',
    title: 'Dead letters',
    figure: grouped(letters),
    lines: [culprits.length > 0 ? `from ${culprits.join(', ')}` : 'could not be used'],
    standing: 'away',
  };
}
