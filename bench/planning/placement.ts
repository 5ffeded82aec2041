import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/**
 * Gives devices to sources, so that the one that takes longest takes as little as it can.
 *
 * @param work of each source, in seconds of one device
 * @returns by source, the devices that its replicas are on: each has its own where there are enough, and none is left over
 */
export function shareDevices(work: readonly number[], devices: number): number[][] {
  if (devices >= work.length) return moreForTheSlowest(work, devices);
  // Longest first, each where the least is to be done.
  const load = Array.from({ length: devices }, () => 0);
  const places = work.map((): number[] => []);
  for (const [seconds, source] of work.map((each, s) => [each, s] as const).sort(([a], [b]) => b - a)) {
    const device = load.indexOf(Math.min(...load));
    load[device] += seconds;
    places[source] = [device];
  }
  return places;
}

function moreForTheSlowest(work: readonly number[], devices: number): number[][] {
  const counts = work.map(() => 1);
  for (let left = devices - work.length; left > 0; left--) {
    const times = work.map((seconds, s) => seconds / counts[s]);
    counts[times.indexOf(Math.max(...times))]++;
  }
  let next = 0;
  return counts.map((count) => Array.from({ length: count }, () => next++));
}

/** One for all sources together, or each by its name. */
export type ByName<T> = { readonly all: T } | ReadonlyMap<string, T>;

export const givenFor = <T>(given: ByName<T>, name: string): T =>
  'all' in given ? given.all : given.get(name)!;

/**
 * Reads "8xA10" or "orator=4xA10,novelist=2xL4".
 *
 * @throws FuseMeshError invalid_argument where a name is no source of the run, or one is missing
 */
export function byName<T>(text: string, names: readonly string[], read: (text: string) => T): ByName<T> {
  if (!text.includes('=')) return { all: read(text) };
  const given = new Map(
    text.split(',').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim(), read(part.slice(at + 1).trim())] as const;
    }),
  );
  const wrong = [...given.keys()].find((name) => !names.includes(name));
  const missing = names.find((name) => !given.has(name));
  if (wrong === undefined && missing === undefined) return given;
  throw new FuseMeshError(
    'invalid_argument',
    wrong === undefined
      ? `"${text}" says nothing of ${missing}: name all sources, ${names.join(', ')}, or none.`
      : `"${text}" names ${wrong}, which is no source of the run: they are ${names.join(', ')}.`,
  );
}
