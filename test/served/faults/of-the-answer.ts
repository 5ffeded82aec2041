import type { AnswerRow, Entry, PromptAnswer } from '../prompt-answer.ts';
import type { Fault } from './fault.ts';

/** A row that is wrong, in the middle of the prompt. */
const wrongRow = (change: (row: AnswerRow, answer: PromptAnswer) => AnswerRow): Fault => ({
  answer: (answer) => {
    const { prompt } = answer;
    const middle = prompt.length >> 1;
    return { ...answer, prompt: prompt.map((row, i) => (i === middle ? change(row, answer) : row)) };
  },
});
/** The row names these instead, its actual token as well where it is among them. */
const naming = ({ actual }: AnswerRow, top: readonly Entry[]): AnswerRow => ({
  actual: top.find(({ id }) => id === actual.id) ?? actual,
  top,
});
const wrongCandidate = (change: (entry: Entry, answer: PromptAnswer) => Entry): Fault =>
  wrongRow((row, answer) => ({
    ...row,
    top: row.top.map((entry, j) => (j === row.top.length - 1 ? change(entry, answer) : entry)),
  }));
const none: Entry = { id: Number.NaN, logProbability: Number.NaN, rank: Number.NaN };

/** An answer that is well-formed and cannot be true. */
export const faultsOfTheAnswer = {
  /** The token that stands in the prompt is not among those that its row names. */
  ownTokenMissing: wrongRow(({ actual, top }) => ({
    actual: none,
    top: top.map((entry) => (entry.id === actual.id ? { ...entry, id: (entry.id + 1) % 2500 } : entry)),
  })),
  notANumber: wrongCandidate((entry) => ({ ...entry, logProbability: Number.NaN })),
  /** A log-probability above 0. */
  positive: wrongRow((row) =>
    naming(
      row,
      row.top.map((entry, j) => (j === 0 ? { ...entry, logProbability: 0.25 } : entry)),
    ),
  ),
  /** Its probabilities sum to more than 1. */
  massAboveOne: wrongRow((row) =>
    naming(
      row,
      row.top.map((entry, j) => (j < 2 ? { ...entry, logProbability: Math.fround(-0.5) } : entry)),
    ),
  ),
  /** A candidate stands twice. */
  idTwice: wrongRow((row) => ({
    ...row,
    top: row.top.map((entry, j) => (j === row.top.length - 1 ? { ...entry, id: row.top[0].id } : entry)),
  })),
  idBeyondVocabulary: wrongCandidate((entry, { vocabularySize }) => ({ ...entry, id: vocabularySize + 7 })),
  negativeId: wrongCandidate((entry) => ({ ...entry, id: -1 })),
  rowTooMany: { answer: (answer) => ({ ...answer, prompt: [...answer.prompt, ...answer.prompt.slice(-1)] }) },
  rowTooFew: { answer: (answer) => ({ ...answer, prompt: answer.prompt.slice(0, -1) }) },
  candidateTooFew: wrongRow((row) => ({ ...row, top: row.top.slice(0, -1) })),
} as const satisfies Readonly<Record<string, Fault>>;
