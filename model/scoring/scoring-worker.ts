import type { ModelFiles } from '../model-files.ts';
import type { Placement } from '../runtime/placement.ts';
import { serveWorker } from '../runtime/worker.ts';
import { openScoredModel, type ScoredModel } from './open-scored-model.ts';
import type { PaddedScores } from './padded-scores.ts';

let model: ScoredModel | undefined;

const methods = {
  async load(
    files: ModelFiles,
    threads: number,
    placement?: Placement,
  ): Promise<Pick<ScoredModel, 'card' | 'onProcessor' | 'quantized'>> {
    model = await openScoredModel(files, threads, placement);
    const { card, onProcessor, quantized } = model;
    return { card, onProcessor, quantized };
  },

  score(texts: readonly Int32Array[], topK: number): Promise<PaddedScores> {
    return model!.score(texts, topK);
  },
};

export type ScoringMethods = typeof methods;
serveWorker(methods);
