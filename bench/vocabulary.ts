/** Time of the vocabulary map by least edit distance, and whether it is that of brute force. */

import { EditDistance } from '../fusion/fusellm/edit-distance.ts';
import { minimumEditDistanceMap } from '../fusion/fusellm/minimum-edit-distance.ts';
import { packStrings, respelledStrings } from '../fusion/fusellm/token-strings.ts';
import { NOT_MAPPED } from '../fusion/vocabulary/exact-map.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { equalStringMap } from '../test/support/equal-string-map.ts';
import { createRandom } from '../test/support/random.ts';
import { loadRealTokenizer } from '../test/support/real-tokenizer.ts';
import { type Figure, report } from './report.ts';

const samples = 2000;

/** For each source id the first target id of least edit distance, found by comparing with every target token. */
function mapByBruteForce(source: Tokenizer, target: Tokenizer, ids: readonly number[]): number[] {
  const mark = target.spaceMark;
  const sources = packStrings(respelledStrings(source, mark));
  const targets = packStrings(respelledStrings(target, mark));
  const distance = new EditDistance();
  return ids.map((id) => {
    distance.start(sources.points, sources.offsets[id], sources.offsets[id + 1]);
    let best = NOT_MAPPED;
    let least = Number.POSITIVE_INFINITY;
    for (let other = 0; other < target.vocabularySize; other++) {
      const found = distance.to(targets.points, targets.offsets[other], targets.offsets[other + 1]);
      if (found < least) {
        least = found;
        best = other;
      }
    }
    return best;
  });
}

const figures: Figure[] = [];
const random = createRandom(1);
const llama2 = await loadRealTokenizer('llama2');
const gpt2 = await loadRealTokenizer('gpt2');
for (const { name, source, target } of [
  { name: 'Llama-2 to GPT-2', source: llama2, target: gpt2 },
  { name: 'GPT-2 to Llama-2', source: gpt2, target: llama2 },
]) {
  const started = performance.now();
  const map = minimumEditDistanceMap(source, target);
  const seconds = (performance.now() - started) / 1000;

  const ids = Array.from({ length: samples }, () => Math.floor(random() * source.vocabularySize));
  const expected = mapByBruteForce(source, target, ids);
  const equal = ids.filter((id, i) => map[id] === expected[i]).length;
  const exact = equalStringMap(source, target).filter((id) => id !== NOT_MAPPED).length;
  figures.push(
    { name: `${name}: map of ${source.vocabularySize} tokens`, value: seconds, unit: 's' },
    { name: `${name}: the same string`, value: (100 * exact) / source.vocabularySize, unit: '%' },
    { name: `${name}: as brute force, of ${samples} at random`, value: (100 * equal) / samples, unit: '%' },
  );
}
report('vocabulary', figures);
