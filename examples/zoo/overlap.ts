/** Characters in a row that held-out text may not share with text that is trained on, white space normalised. */
const runLength = 60;
/** A run holds one block of this length whole that begins at a multiple of it. */
const blockLength = runLength / 2;

/** Runs of that many characters that occur in both texts. */
export function sharedRuns(heldOut: string, trained: string): Set<string> {
  const held = normalised(heldOut);
  const runs = new Set(runsOf(held, runLength).map(({ run }) => run));
  const blocks = new Set(runsOf(held, blockLength).map(({ run }) => run));
  const text = normalised(trained);
  const shared = new Set<string>();
  for (let block = 0; block + blockLength <= text.length; block += blockLength) {
    if (!blocks.has(text.slice(block, block + blockLength))) continue;
    for (let at = Math.max(0, block - blockLength + 1); at <= block; at++) {
      const run = text.slice(at, at + runLength);
      if (runs.has(run)) shared.add(run);
    }
  }
  return shared;
}

/**
 * A held-out text without the paragraphs that share runs with a text to train on: for each shared run, the paragraph
 * that holds most of it is removed. Manuals repeat lists of links and notes on every page.
 */
export function withoutSharedRuns(heldOut: string, trained: string): string {
  let paragraphs = heldOut.split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== '');
  // Paragraphs that become neighbours may form another shared run.
  for (;;) {
    const shared = sharedRuns(paragraphs.join('\n\n'), trained);
    if (shared.size === 0) return `${paragraphs.join('\n\n').trim()}\n`;
    const owners = paragraphs.flatMap((paragraph, i) =>
      Array<number>(normalised(paragraph).length + 1).fill(i),
    );
    const gone = new Set<number>();
    for (const { run, at } of runsOf(normalised(paragraphs.join('\n\n')), runLength)) {
      if (shared.has(run)) gone.add(mostFrequent(owners.slice(at, at + runLength)));
    }
    paragraphs = paragraphs.filter((_, i) => !gone.has(i));
  }
}

function runsOf(text: string, length: number): { readonly run: string; readonly at: number }[] {
  const count = Math.max(0, text.length - length + 1);
  return Array.from({ length: count }, (_, at) => ({ run: text.slice(at, at + length), at }));
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** Replaces each stretch of white space by one space; single spaces, the most common, are not touched. */
const normalised = (text: string): string => text.replaceAll(/[^\S ]\s*| \s+/g, ' ').trim();
