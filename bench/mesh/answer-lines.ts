import { createInterface } from 'node:readline';

/**
 * The side of a process that bench/side.ts started: says that it is ready and answers requests one after
 * another, as JSON lines.
 */
export async function answerLines<Request, Answer>(
  answer: (request: Request) => Promise<Answer>,
): Promise<void> {
  console.log(JSON.stringify({ ready: true }));
  // Where whoever asks has ended, no answer is worth finishing.
  process.stdin.once('end', () => process.exit());
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line) as Request)));
  }
}

/** Wall time and processor time of this process since it is called. */
export function stopwatch(): () => { readonly seconds: number; readonly processorSeconds: number } {
  const began = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - began) / 1000, processorSeconds: (user + system) / 1e6 };
  };
}
