import type { ModelFiles } from '../model-files.ts';
import type { Session } from '../runtime/session.ts';
import { serveWorker } from '../runtime/worker.ts';
import type { ModelCard } from './model-card.ts';
import { openScoredModel } from './open-scored-model.ts';
import { type PaddedScores, scorePadded } from './padded-scores.ts';

let session: Session | undefined;

const methods = {
  async load(files: ModelFiles, threads: number): Promise<ModelCard> {
    const opened = await openScoredModel(files, threads);
    session = opened.session;
    return opened.card;
  },

  score(texts: readonly Int32Array[], topK: number): Promise<PaddedScores> {
    return scorePadded(session!, texts, topK);
  },
};

export type ScoringMethods = typeof methods;
serveWorker(methods);
