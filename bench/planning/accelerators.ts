import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** What a GPU can do, as its maker's data sheet says it: dense, without sparsity. */
export interface Accelerator {
  /** FLOP a second in float32, TF32 left out: the mesh's own teachers compute in it. */
  readonly float32: number;
  /** In float16 or bfloat16 with sums in float32. */
  readonly half: number;
  /** Bytes. */
  readonly memory: number;
  /** Of the memory, bytes a second. */
  readonly bandwidth: number;
}

const accelerator = (float32: number, half: number, memory: number, bandwidth: number): Accelerator => ({
  float32: float32 * 1e12,
  half: half * 1e12,
  memory: memory * 1e9,
  bandwidth: bandwidth * 1e9,
});

/** By NVIDIA's data sheets; of a card in several forms, the one with the most memory (SXM). */
export const accelerators: Readonly<Record<string, Accelerator>> = {
  A10: accelerator(31.2, 125, 24, 600),
  A100: accelerator(19.5, 312, 80, 2039),
  H100: accelerator(67, 989, 80, 3350),
  H200: accelerator(67, 989, 141, 4800),
  L4: accelerator(30.3, 121, 24, 300),
  L40S: accelerator(91.6, 362, 48, 864),
  RTX4090: accelerator(82.6, 165, 24, 1008),
  T4: accelerator(8.1, 65, 16, 320),
  V100: accelerator(15.7, 125, 32, 900),
};

/** So many devices of a kind; of an unknown kind where speeds are given. */
export interface Devices {
  readonly count: number;
  readonly kind: string | undefined;
}

/**
 * Reads "8xA10", "A100" or "8".
 *
 * @throws FuseMeshError invalid_argument where it is none of them, or the accelerator is unknown
 */
export function devicesOf(text: string): Devices {
  const [, count, kind] = /^(?:(\d+)(?:x|$))?(.*)$/.exec(text)!;
  if (kind === '' ? count === undefined : !Object.hasOwn(accelerators, kind)) {
    const known = Object.keys(accelerators).join(', ');
    throw new FuseMeshError(
      'invalid_argument',
      `"${text}" is no number of accelerators such as 8xA10: known are ${known}.`,
    );
  }
  const devices = { count: Number(count ?? 1), kind: kind === '' ? undefined : kind };
  if (devices.count > 0) return devices;
  throw new FuseMeshError('invalid_argument', `"${text}" is no device at all.`);
}
