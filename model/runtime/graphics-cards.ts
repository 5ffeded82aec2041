import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** An NVIDIA GPU as its driver knows it. */
export interface GraphicsCard {
  readonly name: string;
  /** In bytes; undefined where it has no memory of its own. */
  readonly memory: { readonly total: number; readonly free: number } | undefined;
  readonly driver: string;
  /** NVIDIA's number of what the GPU is able to do: "8.0" for an A100; undefined where the driver does not say. */
  readonly computeCapability: string | undefined;
}

/** The GPUs of this machine, or why none is known. */
export type GraphicsCards = readonly GraphicsCard[] | { readonly unknown: string };

const program = 'nvidia-smi';
const properties = 'name,memory.total,memory.free,driver_version,compute_cap';
const query = [`--query-gpu=${properties}`, '--format=csv,noheader,nounits'];
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

/** @param csv lines of `nvidia-smi`: name, MiB in all, MiB free, driver, compute capability */
export function parseGraphicsCards(csv: string): GraphicsCard[] {
  const lines = csv.split('\n').filter((line) => line.includes(','));
  return lines.map((line) => {
    const [name, total, free, driver, capability = ''] = line.split(',').map((cell) => cell.trim());
    const memory = { total: Number(total) * mebibyte, free: Number(free) * mebibyte };
    return {
      name,
      driver,
      memory: Number.isFinite(memory.total + memory.free) ? memory : undefined,
      computeCapability: /^\d+\.\d+$/.test(capability) ? capability : undefined,
    };
  });
}
