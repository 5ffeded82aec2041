import { readFile } from 'node:fs/promises';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { domains, trainingPath } from '../../../examples/zoo/layout.ts';
import { sharedRuns } from '../../../examples/zoo/overlap.ts';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import { readEntries } from './documents.ts';

/**
 * Refuses held-out texts that share a run of characters with what is trained on: the corpus, and where it is on this
 * machine the text that the example models were trained on.
 *
 * @returns what they were compared with, for the report
 * @throws FuseMeshError failed_precondition that quotes such a run
 */
export async function refuseOverlap(config: RunConfig): Promise<string> {
  const held = await readEntries(config.heldOut);
  const training = await Promise.all(
    domains.map((domain) => readFile(trainingPath(domain), 'utf8').catch(() => undefined)),
  );
  const there = training.filter((text) => text !== undefined);
  refuseShared(held, [...(await readEntries(textsOf(config))), ...there]);
  return there.length === domains.length
    ? "the corpus and the example models' training text"
    : "the corpus alone, as the example models' training text is not on this machine (npm run zoo fetches it)";
}

/** @throws FuseMeshError failed_precondition */
export function refuseShared(heldOut: readonly string[], trained: readonly string[]): void {
  for (const text of trained) {
    const [run] = sharedRuns(heldOut.join('\n\n'), text);
    if (run === undefined) continue;
    throw new FuseMeshError(
      'failed_precondition',
      `Held-out text stands in text that is trained on: ${JSON.stringify(run)}. Take it out of one of them.`,
    );
  }
}
