import { withoutSharedRuns } from './overlap.ts';

/** A domain's text in three parts. `heldOut` shares nothing with the others; `corpus` is a part of `training`. */
export interface DomainTexts {
  readonly training: string;
  readonly corpus: string;
  readonly heldOut: string;
}

/** The fewest characters of a passage, unless its document is shorter. */
const passageLength = 4000;
/** Characters held out of each domain, about. */
const heldOutLength = 20_000;
/** Characters of the corpus, about. */
const corpusLength = 250_000;

/** Divides a domain's documents, by passages taken at even distances. */
export function divide(documents: readonly string[]): DomainTexts {
  const passages = documents.flatMap(cutIntoPassages);
  const heldOut = takeEvenly(passages, heldOutLength);
  const others = passages.filter((passage) => !heldOut.includes(passage));
  const training = join(others);
  return {
    training,
    corpus: join(takeEvenly(others, corpusLength)),
    heldOut: withoutSharedRuns(join(heldOut), training),
  };
}

/** Cuts a text at the ends of paragraphs, and at those of sentences in a paragraph that is too long. */
export function cutIntoPassages(text: string): string[] {
  const passages: string[] = [];
  let passage = '';
  for (const paragraph of text.split(/(?<=\n\n)/)) {
    const pieces = paragraph.length > passageLength ? paragraph.split(/(?<=[.!?]['")”’]* )/) : [paragraph];
    for (const piece of pieces) {
      passage += piece;
      if (passage.length < passageLength) continue;
      passages.push(passage.trim());
      passage = '';
    }
  }
  // A short rest joins the passage before it, unless there is none.
  if (passage.trim() !== '') {
    if (passage.length < passageLength / 4 && passages.length > 0) {
      passages.push(`${passages.pop()}\n\n${passage.trim()}`);
    } else passages.push(passage.trim());
  }
  return passages;
}

/** Takes passages at even distances, about `length` characters in all. */
function takeEvenly(passages: readonly string[], length: number): string[] {
  const share = length / passages.reduce((sum, passage) => sum + passage.length, 0);
  let due = 0;
  return passages.filter((passage) => {
    due += share * passage.length;
    if (due < passage.length) return false;
    due -= passage.length;
    return true;
  });
}

function join(passages: readonly string[]): string {
  return `${passages.join('\n\n')}\n`;
}
