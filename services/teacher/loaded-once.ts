/** Something that takes memory and is loaded when it is asked for first. */
export interface LoadedOnce<T> {
  get(): Promise<T>;
  /** Closes it if it was loaded. */
  close(): Promise<void>;
}

/** @param load is called again after it failed */
export function loadedOnce<T extends { close(): Promise<void> }>(load: () => Promise<T>): LoadedOnce<T> {
  let loading: Promise<T> | undefined;
  return {
    get() {
      loading ??= load().catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
      return loading;
    },
    close: async () => (await loading?.catch(() => undefined))?.close(),
  };
}
