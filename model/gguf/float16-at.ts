import { fromFloat16 } from '../../numbers/float16.ts';

/** The value of each of the 65,536 float16. */
const values = fromFloat16(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits));

/** The float16 whose two bytes begin at a place, wherever that is. */
export const float16At = (bytes: Uint8Array, at: number): number => values[bytes[at] | (bytes[at + 1] << 8)];
