import { elementCount } from '../model/graph/shape.ts';
import type { Memory } from '../model/runtime/memory.ts';
import type { Tensors } from '../model/runtime/session.ts';
import { beginningOf, type HostTensor, type Tensor } from '../model/runtime/tensor.ts';
import type { Sizes } from './activations.ts';

/**
 * Brings what all blocks read of the tokens to the device once a pass through the model, rather than at every run of a
 * block.
 */
export class TokensOnDevice {
  readonly #memory: Memory;
  /** By the names of the graphs' inputs. */
  readonly #wholes: ReadonlyMap<string, Tensor>;

  /** @param inParts whether attention is computed in parts: there, the processor reads the positions of slots */
  constructor(memory: Memory, { tokens, rows, length }: Sizes, { inParts }: { readonly inParts: boolean }) {
    this.#memory = memory;
    const wholes = new Map([
      ['input_ids', memory.allocate([tokens], 'int32')],
      ['position_ids', memory.allocate([tokens], 'int64')],
      ['slot_tokens', memory.allocate([rows * length], 'int32')],
      ['token_slots', memory.allocate([tokens], 'int32')],
    ]);
    if (!inParts) wholes.set('slot_positions', memory.allocate([rows * length], 'int32'));
    this.#wholes = wholes;
  }

  /** They are overwritten by the next. */
  async of(feeds: Readonly<Record<string, HostTensor>>): Promise<Tensors> {
    const placed: Record<string, Tensor> = { ...feeds };
    for (const [name, whole] of this.#wholes) {
      const { data, shape } = feeds[name];
      await this.#memory.write(beginningOf(whole, [elementCount(shape)]), data);
      placed[name] = beginningOf(whole, shape);
    }
    return placed;
  }
}
