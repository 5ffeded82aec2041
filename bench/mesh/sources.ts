import type { SourceRelation } from '../../fusion/batch/assemble-batch.ts';
import type { Fusion } from '../../fusion/fusion-of-run.ts';
import { relateSource } from '../../fusion/relate-source.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { createLog } from '../../process/log/log.ts';
import { loadRealTokenizer, type RealTokenizer } from '../../test/support/real-tokenizer.ts';
import { topK } from './request.ts';

/** As FuseLLM has them: two models of other families, and one with Llama-2's tokenizer. */
export const teachers = ['gpt2', 'internlm2', 'llama2'] as const satisfies readonly RealTokenizer[];

/** One fusion for all benchmarks of streaming and metrics, so that their figures can be compared over time. */
export const fusion: Fusion = {
  align: 'boundary',
  vocabulary: 'prefix',
  candidates: topK,
  divergence: { kind: 'ce' },
  lambda: 0.9,
  settings: {
    combine: 'minCE',
    weights: {},
    sharpness: 0.1,
    switching: 0.1,
    crossEntropyPer: 'byte',
    standIn: undefined,
    unaligned: 'text',
    temperature: 1,
    truncated: 'renormalise',
  },
};

/** A teacher as the trainer sees it. */
export interface BenchSource {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly relation: SourceRelation;
}

export function openSources(target: Tokenizer): Promise<BenchSource[]> {
  const log = createLog('bench', { level: 'silent' });
  const encoder = ContentEncoder.ofBaseModel(target);
  return Promise.all(
    teachers.map(async (name) => {
      const tokenizer = await loadRealTokenizer(name);
      return {
        name,
        tokenizer,
        relation: await relateSource(name, ContentEncoder.ofBaseModel(tokenizer), encoder, fusion, log),
      };
    }),
  );
}
