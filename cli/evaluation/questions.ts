import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type JsonLine, readJsonLines } from '../../texts/json-lines.ts';

/** A question with several answers to choose from. */
export interface ChoiceQuestion {
  /** FILE:LINE, for messages. */
  readonly place: string;
  /** What stands before the answer, taken as it is. */
  readonly context: string;
  /** Two texts at least, none of them empty. */
  readonly choices: readonly string[];
  /** Index of the right choice. */
  readonly answer: number;
}

type Line = Readonly<Record<string, unknown>>;

/**
 * The question of a line. The context stands under "query", or else under one of "question", "context" and "ctx";
 * the choices under "choices" or "endings", as strings or as {"text": […], "label": […]}; the answer under "gold",
 * "answer", "label" or "answerKey": an index, a label, or a letter where the choices have no labels.
 *
 * @throws FuseMeshError invalid_argument for a line of another form
 */
export function parseQuestion({ value, place }: JsonLine): ChoiceQuestion {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(place, 'is no object', 'put {"query": "…", "choices": ["…", "…"], "gold": 0} on each line');
  }
  const line = value as Line;
  const context = contextOf(line, place);
  const { texts, labels } = choicesOf(line, place);
  return { place, context, choices: texts, answer: answerOf(line, place, texts.length, labels) };
}

function contextOf(line: Line, place: string): string {
  const [key, ...others] = keysIn(line, ['query', 'question', 'context', 'ctx']);
  const context = line[key];
  if (typeof context !== 'string') {
    throw refuse(place, 'has no context of type string', 'put it under "query"');
  }
  // It is not known how a passage and a question that are given apart become one context.
  if (key !== 'query' && others.length > 0) {
    throw refuse(place, `has both "${key}" and "${others[0]}"`, 'put the whole context under "query"');
  }
  return context;
}

interface Choices {
  readonly texts: readonly string[];
  readonly labels?: readonly string[];
}

function choicesOf(line: Line, place: string): Choices {
  const [key] = keysIn(line, ['choices', 'endings']);
  const choices = line[key];
  const labelled = typeof choices === 'object' && choices !== null && 'text' in choices;
  const texts: unknown = labelled ? choices.text : choices;
  if (!isStrings(texts) || texts.length < 2) {
    throw refuse(place, 'has no list of choices', 'put two texts at least under "choices"');
  }
  const empty = texts.indexOf('');
  if (empty !== -1) throw refuse(place, `has an empty choice ${empty}`, 'give it a text');
  if (!labelled) return { texts };
  const labels: unknown = 'label' in choices ? choices.label : undefined;
  if (!isStrings(labels) || labels.length !== texts.length) {
    throw refuse(
      place,
      'has not one label for each choice',
      'put as many strings under "label" as under "text"',
    );
  }
  return { texts, labels };
}

function answerOf(line: Line, place: string, length: number, labels: Choices['labels']): number {
  const [key] = keysIn(line, ['gold', 'answer', 'label', 'answerKey']);
  const answer = line[key];
  if (answer === undefined) {
    throw refuse(place, 'has no answer', 'put the index of the right choice, or its label, under "gold"');
  }
  const letters = Array.from({ length }, (_, index) => String.fromCharCode(65 + index));
  const indices = Array.from({ length }, (_, index) => String(index));
  // Labels that are numbers may begin with 1: where there are labels, a text is not read as an index.
  const names = typeof answer === 'number' ? [indices] : labels ? [labels] : [letters, indices];
  for (const list of names) {
    const index = list.indexOf(String(answer));
    if (index !== -1) return index;
  }
  throw refuse(
    place,
    `has the answer ${JSON.stringify(answer)}`,
    `use ${names.map((list) => `one of ${list.join(', ')}`).join(', or ')}`,
  );
}

const keysIn = (line: Line, keys: readonly string[]): string[] =>
  keys.filter((key) => line[key] !== undefined && line[key] !== null);

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

const refuse = (place: string, problem: string, remedy: string): FuseMeshError =>
  new FuseMeshError('invalid_argument', `${place} ${problem}: ${remedy}.`);

/**
 * The questions of a .jsonl file, one a line.
 *
 * @throws FuseMeshError not_found for a missing file, invalid_argument for one without questions or with a line
 * that is none
 */
export async function readQuestions(file: string): Promise<ChoiceQuestion[]> {
  const questions: ChoiceQuestion[] = [];
  for await (const line of readJsonLines(file)) questions.push(parseQuestion(line));
  if (questions.length === 0) {
    throw new FuseMeshError('invalid_argument', `${file} has no question: put one on each line.`);
  }
  return questions;
}
