import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findGraphicsCards, type GraphicsCard } from '../../model/runtime/graphics-cards.ts';

/** Floating point operations a second of dense products of bfloat16, as their makers' data sheets have them. */
const peaks: readonly (readonly [name: RegExp, operations: number])[] = [
  [/\bB200/, 2250e12],
  [/H[12]00 NVL/, 835e12],
  [/H200/, 989e12],
  [/H100.*PCIe/, 756e12],
  [/H100/, 989e12],
  [/A100/, 312e12],
  [/L40S/, 362e12],
  [/\bA10\b/, 125e12],
  [/\bL4\b/, 121e12],
];

/** Undefined for a card that is not in our table. */
export const peakOperations = (card: string): number | undefined =>
  peaks.find(([name]) => name.test(card))?.[1];

/** The GPU of that number; undefined where NVIDIA's driver knows none. */
export async function cardOf(device: number): Promise<GraphicsCard | undefined> {
  const cards = await findGraphicsCards();
  return 'unknown' in cards ? undefined : cards[device];
}

const lookEvery = 100;
const program = 'nvidia-smi';

/** Looks again and again how much of a card's memory is taken. */
export class MemoryWatch {
  #before: number | undefined;
  #most = 0;
  readonly #end: () => void;

  private constructor(end: () => void) {
    this.#end = end;
  }

  /** Begins with what is taken by others. */
  static async start(device: number): Promise<MemoryWatch> {
    const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '-i', String(device)];
    const child = spawn(program, [...query, '-lms', String(lookEvery)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const watch = new MemoryWatch(() => child.kill());
    const failed = once(child, 'error').catch(() => undefined);
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => watch.#see(Number(line)));
    await Promise.race([once(lines, 'line'), once(lines, 'close'), failed]);
    return watch;
  }

  #see(mebibytes: number): void {
    this.#before ??= mebibytes;
    this.#most = Math.max(this.#most, mebibytes);
  }

  /** The most that was taken beyond what others had, in GiB; undefined where the driver does not tell. */
  stop(): number | undefined {
    this.#end();
    return this.#before === undefined || Number.isNaN(this.#most)
      ? undefined
      : (this.#most - this.#before) / 1024;
  }
}
