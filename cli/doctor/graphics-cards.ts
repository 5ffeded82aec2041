import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** An NVIDIA GPU as its driver knows it. */
export interface GraphicsCard {
  readonly name: string;
  /** In bytes; undefined where it has no memory of its own. */
  readonly memory: { readonly total: number; readonly free: number } | undefined;
  readonly driver: string;
}

/** The GPUs of this machine, or why none is known. */
export type GraphicsCards = readonly GraphicsCard[] | { readonly unknown: string };

const program = 'nvidia-smi';
const query = ['--query-gpu=name,memory.total,memory.free,driver_version', '--format=csv,noheader,nounits'];
const answerWithin = 10_000;
const mebibyte = 2 ** 20;

/** Asks NVIDIA's driver by `nvidia-smi`. */
export async function findGraphicsCards(): Promise<GraphicsCards> {
  try {
    const { stdout } = await promisify(execFile)(program, query, { timeout: answerWithin });
    const cards = parseGraphicsCards(stdout);
    return cards.length > 0 ? cards : { unknown: `${program} lists none` };
  } catch (error) {
    const { code, stdout = '' } = error as NodeJS.ErrnoException & { stdout?: string };
    if (code === 'ENOENT') return { unknown: `${program} is not installed` };
    // It writes why it fails where it writes what it finds.
    return { unknown: `${program} fails: ${stdout.trim().split('\n')[0] || code}` };
  }
}

/** @param csv lines of `nvidia-smi`: name, MiB in all, MiB free, driver */
export function parseGraphicsCards(csv: string): GraphicsCard[] {
  const lines = csv.split('\n').filter((line) => line.includes(','));
  return lines.map((line) => {
    const [name, total, free, driver] = line.split(',').map((cell) => cell.trim());
    const memory = { total: Number(total) * mebibyte, free: Number(free) * mebibyte };
    return { name, driver, memory: Number.isFinite(memory.total + memory.free) ? memory : undefined };
  });
}
