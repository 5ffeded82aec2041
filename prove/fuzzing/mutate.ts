/** Numbers in [0, 1). */
export type Random = () => number;

/** Huge numbers in the encoding of Protocol Buffers, to be read as a length or a count. */
const absurdNumbers = [
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x10],
];

type Mutation = (message: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

const below = (random: Random, most: number): number => Math.floor(random() * most);
const joined = (...parts: readonly ArrayLike<number>[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => Array.from(part)));

function flipBits(message: Uint8Array, random: Random): Uint8Array {
  const flipped = Uint8Array.from(message);
  if (flipped.length === 0) return flipped;
  for (let i = below(random, 4); i >= 0; i--) flipped[below(random, flipped.length)] ^= 1 << below(random, 8);
  return flipped;
}

const mutations: readonly Mutation[] = [
  flipBits,
  // Truncation.
  (message, random) => message.slice(0, below(random, message.length)),
  // Splice: the beginning of one, the end of another.
  (message, random, others) => {
    const other = others[below(random, others.length)];
    return joined(
      message.subarray(0, below(random, message.length + 1)),
      other.subarray(below(random, other.length + 1)),
    );
  },
  // Length-field attack: overwrites something with a number that is far too large.
  (message, random) => {
    const at = below(random, message.length + 1);
    const absurd = absurdNumbers[below(random, absurdNumbers.length)];
    return joined(message.subarray(0, at), absurd, message.subarray(at + below(random, 3)));
  },
  // Doubles a piece, or removes it.
  (message, random) => {
    const [a, b] = [below(random, message.length + 1), below(random, message.length + 1)];
    return joined(message.subarray(0, a), message.subarray(b));
  },
  // Unknown fields.
  (message, random) => {
    const unknown = Array.from({ length: 2 * (1 + below(random, 200)) }, (_, i) => (i % 2 === 0 ? 0x78 : 1));
    return joined(message, unknown);
  },
  // Random bytes.
  (_, random) => Uint8Array.from({ length: below(random, 300) }, () => below(random, 256)),
];

/** Changes a message at random; a few stay as they are. */
export function mutate(message: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  if (random() < 0.05) return message;
  const mutation = mutations[below(random, mutations.length)];
  const once = mutation(message, random, others);
  return random() < 0.2 ? flipBits(once, random) : once;
}
