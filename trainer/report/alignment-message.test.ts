import { join } from 'node:path';
import { expect, it } from 'vitest';
import { batchesOf } from '../../fusion/batch/batches.ts';
import type { Fusion } from '../../fusion/fusion-of-run.ts';
import { relateSource } from '../../fusion/relate-source.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { createLog } from '../../process/log/log.ts';
import { fusionSettings } from '../../test/support/fusion-settings.ts';
import { alignmentMessage } from './alignment-message.ts';

const zoo = join(import.meta.dirname, '../../examples/zoo');
const text = 'The committee met 1,204 times; it was cold, and "nobody" came.';
const fusion: Fusion = {
  align: 'boundary',
  vocabulary: 'exact',
  candidates: 8,
  divergence: { kind: 'ce' },
  lambda: 0.9,
  settings: fusionSettings,
};

it('shows how the target and a real teacher cut a document, and what was learnt of each next token', async () => {
  const log = createLog('test', { level: 'silent' });
  const target = await Tokenizer.fromFile(join(zoo, 'target/tokenizer.json'));
  const scorer = await Scorer.load(join(zoo, 'engineer'), { topK: 8, threads: 1 });
  const [scored] = await scorer.score([text]);
  await scorer.close();
  const relation = await relateSource(
    'engineer',
    ContentEncoder.ofBaseModel(scorer.tokenizer),
    ContentEncoder.ofBaseModel(target),
    fusion,
    log,
  );
  const document = {
    number: 41,
    content: text,
    distributions: [
      {
        ...scored,
        document: 41,
        teacher: 'engineer',
        tokenizerFingerprint: scorer.tokenizer.fingerprint,
      },
    ],
  };
  const joined = (async function* () {
    yield document;
  })();
  const batches = batchesOf(joined, {
    contextLength: 256,
    candidates: 8,
    batchDocuments: 2,
    encoder: target,
    relations: () => [relation],
    settings: fusion.settings,
    passOver: async () => {},
    signal: new AbortController().signal,
  });
  const { batch, last, count } = (await batches.next()).value!;
  const message = alignmentMessage(batch, last!, 7, target);

  expect(message).toMatchObject({ document: 41n, step: 7n, teacher: 'engineer', text });
  expect(message.source.map(({ begin, end }) => text.slice(begin, end)).join('')).toBe(text);
  expect(message.target.map(({ span }) => text.slice(span!.begin, span!.end)).join('')).toBe(text);
  expect(message.target.length).not.toBe(message.source.length);

  const alignedTokens = message.target.filter(({ sourceToken }) => sourceToken !== undefined);
  expect(alignedTokens.length).toBeGreaterThan(5);
  expect(alignedTokens.length).toBeLessThan(message.target.length);
  for (const { span, sourceToken } of alignedTokens) expect(message.source[sourceToken!].end).toBe(span!.end);
  const taught = message.target.filter(({ candidates }) => candidates.length > 0);
  expect(taught.length).toBe(count.aligned);
  for (const { candidates } of taught) {
    expect(candidates.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(candidates.map(({ probability }) => probability)).toEqual(
      candidates.map(({ probability }) => probability).sort((a, b) => b - a),
    );
  }
  // Some of them are the text's own next token.
  const right = message.target.filter(({ span, candidates }) =>
    candidates.some((candidate) => candidate.text !== '' && text.startsWith(candidate.text, span!.end)),
  );
  expect(right.length).toBeGreaterThan(taught.length / 2);
});
