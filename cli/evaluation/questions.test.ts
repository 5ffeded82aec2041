import { expect, it } from 'vitest';
import { parseQuestion } from './questions.ts';

const parse = (value: unknown) => parseQuestion({ value, place: 'questions.jsonl:7' });
const choices = ['ice', 'fire', 'snow'];

it.each([
  ["the harness's own keys", { query: 'Cold is', choices, gold: 1 }],
  ['HellaSwag', { ctx: 'Cold is', endings: choices, label: '1', activity_label: 'Weather' }],
  ['ARC', { question: 'Cold is', choices: { text: choices, label: ['A', 'B', 'C'] }, answerKey: 'B' }],
  [
    'ARC with numbers',
    { question: 'Cold is', choices: { text: choices, label: ['1', '2', '3'] }, answerKey: '2' },
  ],
  ['a letter without labels', { context: 'Cold is', choices, answer: 'B' }],
  [
    'a prompt beside its parts',
    { query: 'Cold is', ctx: 'Cold', context: null, choices, gold: 1, label: 'x' },
  ],
])('reads %s', (_, line) => {
  expect(parse(line)).toEqual({ place: 'questions.jsonl:7', context: 'Cold is', choices, answer: 1 });
});

it.each([
  [['Cold is'], 'is no object'],
  ['Cold is', 'is no object'],
  [{ choices, gold: 0 }, 'has no context of type string'],
  [{ query: 3, choices, gold: 0 }, 'has no context of type string'],
  [{ question: 'Cold is', context: 'Ice is', choices, gold: 0 }, 'both "question" and "context"'],
  [{ query: 'Cold is', gold: 0 }, 'has no list of choices'],
  [{ query: 'Cold is', choices: ['ice'], gold: 0 }, 'two texts at least'],
  [{ query: 'Cold is', choices: ['ice', 3], gold: 0 }, 'has no list of choices'],
  [{ query: 'Cold is', choices: ['ice', ''], gold: 0 }, 'empty choice 1'],
  [{ query: 'Cold is', choices: { text: choices, label: ['A'] }, gold: 0 }, 'one label for each choice'],
  [{ query: 'Cold is', choices }, 'has no answer'],
  [{ query: 'Cold is', choices, gold: 3 }, 'has the answer 3: use one of 0, 1, 2.'],
  [{ query: 'Cold is', choices, gold: 'D' }, 'has the answer "D": use one of A, B, C, or one of 0, 1, 2.'],
  [
    { query: 'Cold is', choices: { text: choices, label: ['1', '2', '3'] }, gold: '0' },
    'use one of 1, 2, 3.',
  ],
])('refuses %j', (line, message) => {
  expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  expect(() => parse(line)).toThrow(message);
  expect(() => parse(line)).toThrow(/^questions\.jsonl:7 /);
});
