import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRunning, type StartedProcess, thisProcess } from '../../process/lifecycle/running-process.ts';

/** A process that holds a lock, as the lock's file names it. */
interface Holder extends StartedProcess {
  /** Where its number means something: a machine between two starts, or a container in it. */
  readonly place: string;
}

/** How often a holder shows that it is there, and how long it may be silent, in milliseconds. */
export const beatEvery = 2_000;
const silentAfter = 20_000;

/** What to write into a lock that this process holds. */
export function ourName(): string {
  const holder: Holder = { place: ourPlace(), ...thisProcess() };
  return JSON.stringify(holder);
}

/**
 * Tells whether the holder of a lock is gone: at once where it was a process beside this one, even if its number was
 * given again; of another machine or container, when it has been silent for 20 s. Clocks of two machines are not
 * compared: what counts is whether the time of the last beat changes.
 */
export class HolderWatch {
  #seen: { readonly name: string; readonly beat: number; readonly since: number } | undefined;

  /**
   * @param name what stands in the lock
   * @param beat when the lock was last touched, in milliseconds by any clock
   * @param now in milliseconds by a clock of ours
   */
  isGone(name: string, beat: number, now: number): boolean {
    if (this.#seen?.name !== name || this.#seen.beat !== beat) this.#seen = { name, beat, since: now };
    const holder = parse(name);
    if (holder?.place === ourPlace() && !isRunning(holder)) return true;
    return now - this.#seen.since >= silentAfter;
  }
}

function parse(name: string): Holder | undefined {
  try {
    return JSON.parse(name) as Holder;
  } catch {
    // Of a holder that is about to write its name, or was ended before it could.
    return undefined;
  }
}

function ourPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
