/** Does tasks in order, so many at a time; after a failure it begins no other, and throws it when those begun have ended. */
export async function sideBySide<Task>(
  tasks: readonly Task[],
  atOnce: number,
  work: (task: Task) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  let failed = false;
  const lane = async () => {
    for (let task = waiting.shift(); task !== undefined && !failed; task = waiting.shift()) {
      try {
        await work(task);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, lane));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}
