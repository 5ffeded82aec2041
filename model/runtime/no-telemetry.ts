import { isMainThread } from 'node:worker_threads';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/**
 * Importing this file keeps ONNX Runtime from calling home, unless the user has set the variable. Otherwise its first
 * session writes an id of this machine into the home directory and reports to its maker.
 *
 * The library reads the real environment, which Node.js changes from the main thread only: the `process.env` of a
 * worker thread is a copy. So whatever starts a worker imports this file (worker.ts), and whatever loads the library
 * (session.ts). A thread whose process has not set the variable never loads it.
 */
const variable = 'ORT_DISABLE_TELEMETRY';

if (isMainThread) process.env[variable] ??= '1';
else if (process.env[variable] === undefined) {
  throw new FuseMeshError(
    'internal',
    `${variable} is not in the environment of this process: start threads with startWorker, which sets it`,
  );
}
