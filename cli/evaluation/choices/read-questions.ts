import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { readJsonLines } from '../../../texts/json-lines.ts';
import { type ChoiceQuestion, parseQuestion } from './question.ts';

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
