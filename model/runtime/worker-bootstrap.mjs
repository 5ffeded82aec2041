// A worker thread begins here, in plain JavaScript: it learns to read TypeScript, whatever taught the thread
// that started it, and then loads the file it was started for.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.file);
