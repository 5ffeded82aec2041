import { access, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceDurably } from '../../model/export/durable-files.ts';
import { readDocuments } from './documents.ts';
import { corpusPath, domains, heldOutPath, trainingPath } from './layout.ts';
import { divide } from './passages.ts';

/** Downloads the sources and writes each domain's corpus, held-out text and training text. */
export async function buildTexts(): Promise<void> {
  for (const domain of domains) {
    const { training, corpus, heldOut } = divide(await readDocuments(domain));
    const files = [
      [trainingPath(domain), training],
      [corpusPath(domain), corpus],
      [heldOutPath(domain), heldOut],
    ] as const;
    for (const [path, text] of files) {
      await mkdir(dirname(path), { recursive: true });
      await replaceDurably(path, text);
    }
    const sizes = files.map(([, text]) => `${(Buffer.byteLength(text) / 1000).toFixed(0)} KB`);
    console.log(`${domain}: ${sizes[0]} to train on, corpus ${sizes[1]}, held out ${sizes[2]}`);
  }
}

/** Makes the training texts from the published ones where one is missing. */
export async function needTrainingTexts(): Promise<void> {
  try {
    for (const domain of domains) await access(trainingPath(domain));
  } catch {
    await buildTexts();
  }
}
