/**
 * What a promise resolves to, or undefined as soon as the signal aborts. A race against one promise that waits for the
 * abort would keep every value that it was ever raced with: here nothing is kept once either has happened.
 *
 * @throws what the promise rejects with, unless the signal has aborted before
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([aborted, work]);
  } catch (error) {
    // Work that is told to stop may say so before we do.
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    over.abort();
  }
}
