// A worker thread begins here, in plain JavaScript: it learns to read TypeScript, whatever taught the thread
// that started it, and then loads the file it was started for. In an image that is JavaScript too.
import { workerData } from 'node:worker_threads';

if (/\.m?ts$/.test(workerData.file)) {
  const { register } = await import('tsx/esm/api');
  register();
}
await import(workerData.file);
