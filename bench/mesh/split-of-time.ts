import { assembleBatch, type SourceRelation } from '../../fusion/batch/assemble-batch.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { distributionCheck } from '../../wire/codec/check-distribution.ts';
import { distributionFromBytes, distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { shortestSeconds } from '../report.ts';
import { topK, topP } from './request.ts';
import { type BenchSource, fusion } from './sources.ts';
import { syntheticScores } from './synthetic-scores.ts';

const rounds = 20;

/** Processor time of the parts of a trainer's and a teacher's work, in seconds a target token, each done alone. */
export interface TimeSplit {
  /** Of all teachers' distributions. */
  readonly encode: number;
  /** Of all teachers' distributions. */
  readonly decode: number;
  /** Of the check whether they can be used. */
  readonly check: number;
  readonly tokenise: number;
  readonly align: number;
  readonly fuse: number;
}

/** Each part on the same texts, its shortest time. */
export async function splitOfTime(
  texts: readonly string[],
  target: Tokenizer,
  sources: readonly BenchSource[],
): Promise<TimeSplit> {
  const scored = await Promise.all(
    sources.map(async ({ name, tokenizer }) => {
      const all = syntheticScores(texts, await tokenizer.encodeBatch(texts), topK, name.length);
      const origin = { teacher: name, tokenizerFingerprint: tokenizer.fingerprint };
      return all.map((one, document) => ({
        distribution: { ...one, ...origin, document },
        vocabularySize: tokenizer.vocabularySize,
      }));
    }),
  );
  const encodeAll = () =>
    scored.map((all) =>
      all.map(({ distribution, vocabularySize }) => distributionToBytes(distribution, vocabularySize, topP)),
    );
  const bytes = encodeAll();
  const decodeAll = () => bytes.map((all) => all.map(distributionFromBytes));
  const decoded = decodeAll();
  const checks = sources.map(({ name, tokenizer: { fingerprint, vocabularySize } }) =>
    distributionCheck({
      teacher: name,
      fingerprint,
      documents: texts.length,
      tokens: vocabularySize,
      candidates: vocabularySize,
    }),
  );
  const checkAll = () => decoded.map((all, s) => all.map(checks[s]));
  const tokenizations = await target.encodeBatch(texts);
  const documents = texts.map((text, number) => ({
    number,
    content: text,
    tokenization: tokenizations[number],
    distributions: decoded.map((all) => all[number]),
  }));
  let aligning = 0;
  const relations = sources.map(({ relation }): SourceRelation => {
    return (...parameters) => {
      const began = performance.now();
      const aligned = relation(...parameters);
      aligning += performance.now() - began;
      return aligned;
    };
  });
  const sizes = { contextLength: Math.max(...tokenizations.map(({ ids }) => ids.length)), candidates: topK };
  const perToken = (seconds: number) =>
    seconds / tokenizations.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  let align = Number.POSITIVE_INFINITY;
  const both = await shortestSeconds(rounds, async () => {
    aligning = 0;
    assembleBatch(documents, relations, fusion.settings, sizes);
    align = Math.min(align, aligning / 1000);
  });
  return {
    encode: perToken(await shortestSeconds(rounds, async () => encodeAll())),
    decode: perToken(await shortestSeconds(rounds, async () => decodeAll())),
    check: perToken(await shortestSeconds(rounds, async () => checkAll())),
    tokenise: perToken(await shortestSeconds(rounds, () => target.encodeBatch(texts))),
    align: perToken(align),
    fuse: perToken(both - align),
  };
}
