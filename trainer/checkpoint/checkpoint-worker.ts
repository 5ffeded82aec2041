import { serveWorker } from '../../model/runtime/worker.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

const methods = { write: writeCheckpoint };

export type CheckpointMethods = typeof methods;
serveWorker(methods);
