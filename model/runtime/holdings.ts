import { atEndOfThread } from './worker.ts';

/** Releases by the address of what they release, the oldest first. */
const releases = new Map<bigint, (address: bigint) => void>();

/**
 * Remembers what this thread has of ONNX Runtime, so that none of it outlives the thread: nothing else would free what
 * a thread that is stopped has left.
 *
 * @returns the address
 */
export function hold(address: bigint, release: (address: bigint) => void): bigint {
  releases.set(address, release);
  return address;
}

/** Releases what is held. */
export function letGo(address: bigint): void {
  const release = releases.get(address);
  releases.delete(address);
  release?.(address);
}

// The newest first: memory goes back before the session that it is of.
atEndOfThread(() => {
  for (const address of [...releases.keys()].reverse()) letGo(address);
});
