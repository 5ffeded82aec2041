import { readFile } from 'node:fs/promises';
import { domains, heldOutPath } from '../../examples/zoo/layout.ts';

/** Characters of the shortest prompt, and by how many each is longer than the one before. */
const characters = 40;

/** The beginnings of held-out texts, each longer than the one before, in another order. */
export async function promptsOf(count: number): Promise<string[]> {
  const texts = await Promise.all(domains.map((domain) => readFile(heldOutPath(domain), 'utf8')));
  return Array.from({ length: count }, (_, i) => {
    const text = texts[i % texts.length];
    const begin = text.indexOf(' ', 2000 * i) + 1;
    const longer = (i * 7) % count;
    return text.slice(begin, text.indexOf(' ', begin + characters * (longer + 1)));
  });
}
