import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RuntimeHere } from '../../model/runtime/providers.ts';
import { type Finding, problem } from './finding.ts';

type Answer = { readonly runtime: RuntimeHere } | { readonly error: string };

const program = fileURLToPath(new URL('./ask-runtime.mjs', import.meta.url));

/**
 * Finds out what ONNX Runtime can do here. A process of its own asks it: libraries of GPUs print by themselves, and
 * some end the process.
 */
export async function loadRuntime(): Promise<RuntimeHere | Finding> {
  const child = fork(program, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // With JSON, what is undefined would be lost.
    serialization: 'advanced',
  });
  const answer = await new Promise<Answer>((resolve) => {
    child.once('message', (message) => resolve(message as Answer));
    child.once('error', ({ message }) => resolve({ error: message }));
    child.once('exit', (code, signal) =>
      resolve({ error: `it ended with ${signal ?? `exit code ${code}`}` }),
    );
  });
  if ('runtime' in answer) return answer.runtime;
  const advice = 'run `npm ci` on this machine; it is built for Linux with glibc, macOS and Windows';
  const reason = answer.error.replaceAll(/\s*\n\s*/g, ' ');
  return problem('ONNX Runtime', `cannot be loaded (${reason}): ${advice}`);
}
