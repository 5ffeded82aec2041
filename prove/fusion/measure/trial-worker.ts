import { serveWorker } from '../../../model/runtime/worker.ts';
import { trainExperiment } from './train-experiment.ts';

const methods = { trainExperiment };

export type TrialMethods = typeof methods;
serveWorker(methods);
