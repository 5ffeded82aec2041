/** Speed of alignment and fusion of three sources, on one core. */

import { assembleBatch, type DocumentToLearn } from '../fusion/batch/assemble-batch.ts';
import type { Fusion } from '../fusion/fusion-of-run.ts';
import { relateSource } from '../fusion/relate-source.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import { createLog } from '../process/log/log.ts';
import { zooDocuments } from './fusion/zoo-documents.ts';
import { type Figure, report, shortestSeconds } from './report.ts';

const topK = 10;
const contextLength = 256;

const { joined, sources, target } = await zooDocuments({ documents: 64, topK });
const targetEncoder = ContentEncoder.ofBaseModel(target);
const tokenizations = await targetEncoder.encodeBatch(joined.map(({ content }) => content));
const toLearn = joined.map(
  (document, i): DocumentToLearn => ({ ...document, tokenization: tokenizations[i] }),
);

const settings = {
  weights: {},
  sharpness: 0.1,
  switching: 0.1,
  crossEntropyPer: 'byte',
  standIn: undefined,
  unaligned: 'text',
  temperature: 1,
} as const;
const ways: readonly { readonly name: string; readonly fusion: Fusion }[] = (
  [
    ['minCE', 'boundary', 'prefix', 'minCE', 'renormalise'],
    ['evidence, tail', 'boundary', 'prefix', 'evidence', 'tail'],
    ['avgCE, tail', 'boundary', 'prefix', 'avgCE', 'tail'],
    ['FuseLLM (dtw, minED, minCE)', 'dtw', 'minED', 'minCE', 'renormalise'],
  ] as const
).map(([name, align, vocabulary, combine, truncated]) => ({
  name,
  fusion: {
    align,
    vocabulary,
    settings: { ...settings, combine, truncated },
    candidates: combine !== 'minCE' ? topK * sources.length : topK,
    divergence: { kind: 'ce' },
    lambda: 0.9,
  },
}));

const log = createLog('bench', { level: 'silent' });
const figures: Figure[] = [];
for (const { name, fusion } of ways) {
  const relations = await Promise.all(
    sources.map(({ teacher, tokenizer }) =>
      relateSource(teacher, ContentEncoder.ofBaseModel(tokenizer), targetEncoder, fusion, log),
    ),
  );
  const sizes = { contextLength, candidates: fusion.candidates };
  const fuse = async () => assembleBatch(toLearn, relations, fusion.settings, sizes);
  const { count } = await fuse();
  const seconds = await shortestSeconds(20, fuse);
  figures.push({ name, value: count.positions / seconds, unit: 'target tokens/s' });
  figures.push({ name: `${name}: aligned`, value: (100 * count.aligned) / count.positions, unit: '%' });
}
report('fuse', figures);
