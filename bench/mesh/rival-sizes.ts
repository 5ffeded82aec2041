import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import type { Figure } from '../report.ts';
import { topK, topP } from './request.ts';
import { syntheticScores } from './synthetic-scores.ts';

/** As bench/rivals/fusellm_arrow.py writes it. */
interface RivalSizes {
  readonly ipc: number;
  readonly parquet: number;
}

/** Our bytes against those of FuseLLM's Arrow columns, of the same distributions of a model with Llama-2's tokenizer. */
export async function sizeFigures(texts: readonly string[]): Promise<Figure[]> {
  const tokenizer = await loadRealTokenizer('llama2');
  const scores = syntheticScores(texts, await tokenizer.encodeBatch(texts), topK, 1);
  const tokens = scores.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const origin = { teacher: 'llama2', tokenizerFingerprint: tokenizer.fingerprint };
  const ours = scores
    .map((one, document) => ({ ...one, ...origin, document }))
    .reduce((sum, one) => sum + distributionToBytes(one, tokenizer.vocabularySize, topP).length, 0);

  const task = {
    topK,
    texts: scores.map(({ tokenIds, candidateIds, logProbabilities }) => ({
      ids: Array.from(tokenIds),
      candidateIds: Array.from(candidateIds),
      logProbabilities: Array.from(logProbabilities),
    })),
  };
  const script = join(import.meta.dirname, '..', 'rivals', 'fusellm_arrow.py');
  const rival = spawnSync('python3', [script], { input: JSON.stringify(task), encoding: 'utf8' });
  if (rival.status !== 0) {
    console.error("The rival is missing: python3 with pyarrow. FuseLLM's files are not compared with.");
    return [];
  }
  const sizes = JSON.parse(rival.stdout) as RivalSizes;
  const against = (name: string, theirs: number): Figure => ({
    name,
    value: ours / tokens,
    unit: 'bytes a token',
    baseline: theirs / tokens,
    ratio: ours / theirs,
  });
  return [
    against("on the wire, against FuseLLM's dataset (Arrow)", sizes.ipc),
    against('on the wire, against the same as Parquet', sizes.parquet),
  ];
}
