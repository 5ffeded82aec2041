import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunConfig } from '../../process/config/schema.ts';
import { type Place, placesOfRun } from '../reach/reachable.ts';

const lookAgainAfter = 2_000;

/** What Prometheus is to scrape: a list of one target each, with the name of the process as its instance. */
export const targetsOf = (places: readonly Place[]): string =>
  JSON.stringify(
    places.flatMap(({ name, kind, metrics }) =>
      metrics === undefined ? [] : [{ targets: [metrics], labels: { instance: name, job: kind } }],
    ),
    undefined,
    2,
  );

/**
 * Keeps the file of targets in step with the processes of a run, until the signal.
 *
 * @param onChange called with where they are, at first and whenever that changes
 */
export async function keepTargets(
  config: RunConfig,
  file: string,
  { onChange, signal }: { onChange: (places: readonly Place[]) => void; signal: AbortSignal },
): Promise<void> {
  let written: string | undefined;
  while (!signal.aborted) {
    const places = await placesOfRun(config);
    const text = targetsOf(places);
    if (text !== written) {
      await writeFile(`${file}.part`, `${text}\n`);
      await rename(`${file}.part`, file);
      written = text;
      onChange(places);
    }
    await sleep(lookAgainAfter, undefined, { signal }).catch(() => undefined);
  }
}
