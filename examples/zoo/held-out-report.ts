import { readFile } from 'node:fs/promises';
import { Scorer } from '../../model/scoring/scorer.ts';
import { domains, heldOutPath, modelDirectory } from './layout.ts';
import { zoo } from './zoo.ts';

/** Characters of a piece; no tokenizer of the zoo makes more than 256 tokens of it. */
const pieceLength = 400;

/** Prints each model's loss on held-out text, in bits per byte. */
export async function reportHeldOut(): Promise<void> {
  console.log(['bits per byte', ...domains].map((title) => title.padEnd(14)).join(''));
  for (const { name } of zoo) {
    const scorer = await Scorer.load(modelDirectory(name), { topK: 1, threads: 2 });
    const columns: string[] = [];
    for (const domain of domains) {
      const scores = await scorer.score(pieces(await readFile(heldOutPath(domain), 'utf8')));
      const nats = scores.reduce((sum, { crossEntropy }) => sum + crossEntropy, 0);
      const bytes = scores.reduce((sum, { predictedBytes }) => sum + predictedBytes, 0);
      columns.push((nats / Math.LN2 / bytes).toFixed(3));
    }
    console.log([name, ...columns].map((column) => column.padEnd(14)).join(''));
    await scorer.close();
  }
}

/** Cuts a text before spaces. */
function pieces(text: string): string[] {
  const parts: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const space = rest.length > pieceLength ? rest.lastIndexOf(' ', pieceLength) : -1;
    const end = space > 0 ? space : Math.min(rest.length, pieceLength);
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return parts;
}
