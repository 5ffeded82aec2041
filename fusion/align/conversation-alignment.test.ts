import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { turnPlaces } from '../../model/chat/content-layout.ts';
import { learnt } from '../../model/chat/learning.ts';
import {
  type ChatTokenizer,
  chatModel,
  conversation,
  encoded,
  says,
} from '../../test/support/chat-models.ts';
import { texts } from '../../test/support/tokenizer-properties.ts';
import { alignBySharedBoundaries, says as kinds } from './alignment.ts';

const models: readonly (readonly [ChatTokenizer, string | null])[] = [
  ['qwen3', 'qwen3_training'],
  ['gptoss', 'gptoss'],
  ['deepseek_v3', null],
  ['llama3_1', null],
  ['llama2', 'mistral'],
  ['gpt2', null],
];
/** Each is taught by the next two. */
const pairs = models.flatMap((target, i) =>
  [1, 2].map((step) => ({ target, source: models[(i + step) % models.length] })),
);

describe('alignment across chat templates', () => {
  it.each(pairs)(
    'teaches words from words, and ends of turn from ends of turn: $target by $source',
    async ({ target, source }) => {
      const [own, other] = [await chatModel(...target), await chatModel(...source)];
      const exchange = fc.array(fc.tuple(texts, texts), { minLength: 1, maxLength: 2 });
      await fc.assert(
        fc.asyncProperty(exchange, async (said) => {
          const content = conversation(...said.flatMap(([q, a]) => [says('user', q), says('assistant', a)]));
          const [t, s] = [await encoded(own, content), await encoded(other, content)];
          const aligned = alignBySharedBoundaries(t.ends, {
            ends: s.ends,
            tokenLogProbabilities: new Float32Array(s.ids.length),
          });
          const mask = learnt(content, t)!;
          const places = turnPlaces(content);
          for (let row = 0; row + 1 < t.ids.length; row++) {
            const kind = aligned.kinds[row];
            if (mask[row + 1] === 0 || (kind !== kinds.candidates && kind !== kinds.chained)) continue;
            const next = aligned.rows[row] + 1;
            const place = places.find(
              ({ begin, end }) => t.starts[row + 1] >= begin && t.ends[row + 1] <= end + 1,
            )!;
            const ends = t.ends[row + 1] === place.end + 1;
            expect(s.ends[next] === place.end + 1).toBe(ends);
            // Neither side's token is what a template writes before, inside or behind a turn.
            expect(t.ends[row + 1]).toBeGreaterThan(t.starts[row + 1] - 1);
            expect(s.starts[next]).toBeGreaterThanOrEqual(place.begin);
            expect(s.ends[next]).toBeLessThanOrEqual(place.end + 1);
          }
          // Where an answer ends, both say so.
          places.forEach(({ end }, turn) => {
            if (turn % 2 === 0) return;
            const row = t.ends.lastIndexOf(end);
            expect(aligned.kinds[row]).toBe(kinds.candidates);
            expect(s.ends[aligned.rows[row] + 1]).toBe(end + 1);
          });
        }),
        { numRuns: 40 },
      );
    },
  );

  it('teaches no end of turn where the source has none', async () => {
    const target = await chatModel('qwen3');
    const { tokenizer } = await chatModel('gpt2');
    const source = new ContentEncoder(
      tokenizer,
      ChatTemplate.of({ template: '', specialTokens: {} }, 'a-model'),
    );
    const content = conversation(says('user', 'Why?'), says('assistant', 'Because.'));
    const [t, s] = [await encoded(target, content), await encoded(source, content)];
    const tokenLogProbabilities = new Float32Array(s.ids.length);
    const { kinds: found } = alignBySharedBoundaries(t.ends, { ends: s.ends, tokenLogProbabilities });
    const [, { begin, end }] = turnPlaces(content);
    expect(found[t.ends.lastIndexOf(begin)]).toBe(kinds.candidates);
    expect(found[t.ends.lastIndexOf(end)]).toBe(kinds.nothing);
  });
});
