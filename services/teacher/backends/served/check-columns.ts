import type { AnswerColumns } from './protocol.ts';
import { wrongAnswer } from './wrong-answer.ts';

/** Rounding may put a log-probability of 0 a hair above it. */
const aboveZero = 1e-6;
const mostMass = 1.001;
/** What servers write for a probability of 0 (JSON knows no infinity). */
const nothing = -9999;

/**
 * Checks that columns can be what a model says: every token with its own probability, k distinct candidates of the
 * vocabulary a row by falling probability, all finite and at most 0, no more mass than there is. One pass.
 *
 * @param vocabularySize every id is below it
 * @returns a check that throws FuseMeshError data_loss
 */
export function columnsCheck(vocabularySize: number): (columns: AnswerColumns, topK: number) => void {
  const lastRow = new Int32Array(vocabularySize);
  let seen = 0;
  return ({ candidateIds, logProbabilities, tokenLogProbabilities }, topK) => {
    for (let i = 0; i < tokenLogProbabilities.length; i++) {
      const own = tokenLogProbabilities[i];
      if (!(own <= aboveZero && own > nothing)) {
        throw wrongAnswer(
          Number.isNaN(own) ? `token ${i} is not in its row` : `token ${i} has the log-probability ${own}`,
        );
      }
      if (seen === 2 ** 31 - 1) {
        lastRow.fill(0);
        seen = 0;
      }
      seen++;
      let mass = 0;
      let previous = aboveZero;
      for (let at = i * topK; at < (i + 1) * topK; at++) {
        const id = candidateIds[at];
        const value = logProbabilities[at];
        if (!(value <= previous && value > -Infinity)) {
          throw wrongAnswer(`the candidates after token ${i} have ${value} behind ${previous}`);
        }
        if (!(id >= 0 && id < vocabularySize)) {
          throw wrongAnswer(
            `candidate ${id} after token ${i} is none of the vocabulary of ${vocabularySize}`,
          );
        }
        if (lastRow[id] === seen) throw wrongAnswer(`candidate ${id} comes twice after token ${i}`);
        lastRow[id] = seen;
        mass += Math.exp(value);
        previous = value;
      }
      if (mass > mostMass) throw wrongAnswer(`the candidates after token ${i} have the mass ${mass}`);
    }
  };
}
