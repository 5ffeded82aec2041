/** Speed of alignment and fusion of three sources, on one core. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../mesh/log/log.ts';
import { Scorer } from '../model/scoring/scorer.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { scoredDistribution } from '../services/teacher/scored-distribution.ts';
import { assembleBatch, type DocumentToLearn } from '../trainer/batch/assemble-batch.ts';
import type { Fusion } from '../trainer/fusion-of-run.ts';
import { relateSource } from '../trainer/sources/relate-source.ts';
import { type Figure, report, shortestSeconds } from './report.ts';

const zoo = join(import.meta.dirname, '..', 'examples', 'zoo');
const teachers = ['orator', 'novelist', 'engineer'];
const topK = 10;
const contextLength = 256;
const documents = 64;
const charactersOfDocument = 500;

const text = await readFile(join(zoo, 'corpus', 'fiction.txt'), 'utf8');
const texts = Array.from({ length: documents }, (_, i) =>
  text.slice(i * charactersOfDocument, (i + 1) * charactersOfDocument),
);
const target = await Tokenizer.fromFile(join(zoo, 'target', 'tokenizer.json'));
const tokenizations = await target.encodeBatch(texts);
const sources = await Promise.all(
  teachers.map(async (teacher) => {
    const scorer = await Scorer.load(join(zoo, teacher), { topK, threads: 1 });
    const { tokenizer } = scorer;
    const origin = { document: 0, teacher, topK, tokenizerFingerprint: tokenizer.fingerprint };
    const scored = (await scorer.score(texts)).map((one) => scoredDistribution(one, origin));
    await scorer.close();
    return { teacher, tokenizer, scored };
  }),
);
const toLearn = tokenizations.map(
  (tokenization, number): DocumentToLearn => ({
    number,
    text: texts[number],
    tokenization,
    distributions: sources.map(({ scored }) => scored[number]),
  }),
);

const settings = { weights: {}, crossEntropyPer: 'byte', standIn: undefined, temperature: 1 } as const;
const ways: readonly { readonly name: string; readonly fusion: Fusion }[] = (
  [
    ['minCE', 'boundary', 'prefix', 'minCE', 'renormalise'],
    ['minCE-token, tail', 'boundary', 'prefix', 'minCE-token', 'tail'],
    ['avgCE, tail', 'boundary', 'prefix', 'avgCE', 'tail'],
    ['FuseLLM (dtw, minED, minCE)', 'dtw', 'minED', 'minCE', 'renormalise'],
  ] as const
).map(([name, align, vocabulary, combine, truncated]) => ({
  name,
  fusion: {
    align,
    vocabulary,
    settings: { ...settings, combine, truncated },
    candidates: combine === 'avgCE' ? topK * teachers.length : topK,
    divergence: { kind: 'ce' },
  },
}));

const log = createLog('bench', { level: 'silent' });
const figures: Figure[] = [];
for (const { name, fusion } of ways) {
  const relations = await Promise.all(
    sources.map(({ teacher, tokenizer }) => relateSource(teacher, tokenizer, target, fusion, log)),
  );
  const sizes = { contextLength, candidates: fusion.candidates };
  const fuse = async () => assembleBatch(toLearn, relations, fusion.settings, sizes);
  const { count } = await fuse();
  const seconds = await shortestSeconds(20, fuse);
  figures.push({ name, value: count.positions / seconds, unit: 'target tokens/s' });
  figures.push({ name: `${name}: aligned`, value: (100 * count.aligned) / count.positions, unit: '%' });
}
report('fuse', figures);
