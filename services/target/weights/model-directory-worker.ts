import { serveWorker } from '../../../model/runtime/worker.ts';
import { writeModelDirectory } from './model-directory.ts';

const methods = { write: writeModelDirectory };

export type ModelDirectoryMethods = typeof methods;
serveWorker(methods);
