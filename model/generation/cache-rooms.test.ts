import { expect, it } from 'vitest';
import { processMemory } from '../runtime/memory.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { CacheRooms, type Room } from './cache-rooms.ts';

const layers = 2;

/** Rooms, and the tensors that they hold. */
function countedRooms() {
  const held = new Set<Tensor>();
  const memory = {
    ...processMemory,
    allocate(shape: readonly number[]) {
      const tensor = processMemory.allocate(shape);
      held.add(tensor);
      return tensor;
    },
    free(tensor: Tensor) {
      expect(held.delete(tensor)).toBe(true);
    },
  };
  const architecture = { keyValueSizes: { layers, keyValueHeads: 3, headSize: 4 }, contextLength: 200 };
  return { held, rooms: new CacheRooms(memory, architecture) };
}

it('hold twice the tokens that they must at most, and never more than the context', () => {
  const { rooms } = countedRooms();
  const capacities = [0, 1, 64, 65, 128, 129, 200].map((tokens) => rooms.take(tokens).capacity);
  expect(capacities).toEqual([64, 64, 64, 128, 128, 200, 200]);
  const { keys, values } = rooms.take(200);
  expect([...keys, ...values].map(({ shape }) => shape)).toEqual(Array(2 * layers).fill([1, 3, 200, 4]));
  expect(rooms.of(keys[0], 7)).toMatchObject({ shape: [1, 3, 7, 4], data: { length: 84 } });
});

it('serve texts that take turns with one spare room of each capacity', () => {
  const { held, rooms } = countedRooms();
  const texts: Room[] = [0, 1, 2].map(() => rooms.take(0));
  let most = 0;
  for (let tokens = 1; tokens <= 200; tokens++) {
    for (const [i, before] of texts.entries()) {
      texts[i] = rooms.take(tokens);
      expect(texts[i] === before).toBe(false);
      rooms.give(before);
    }
    most = Math.max(most, held.size / (2 * layers));
  }
  expect(most).toBeLessThanOrEqual(3 + 3);
  for (const room of texts) rooms.give(room);
  rooms.freeSpare();
  expect(held.size).toBe(0);
});
