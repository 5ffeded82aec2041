import { emitModel } from '../model/onnx/emit.ts';
import type { Memory } from '../model/runtime/memory.ts';
import { openSession, type Session, type SessionOptions } from '../model/runtime/session.ts';
import { beginningOf, type Tensor } from '../model/runtime/tensor.ts';
import type { Sizes } from './activations.ts';
import { maskGraph } from './graphs/mask-graph.ts';
import type { PackedTokens } from './packing/packed-tokens.ts';

/** Makes the masks of packed rows where they are read: length² values a row would take long to a device. */
export class MaskOnDevice {
  readonly #session: Session;
  readonly #whole: Tensor;

  private constructor(session: Session, whole: Tensor) {
    this.#session = session;
    this.#whole = whole;
  }

  static async open(memory: Memory, { rows, length }: Sizes, options: SessionOptions): Promise<MaskOnDevice> {
    const session = await openSession(emitModel(maskGraph(), { dialect: 'standard' }), options);
    return new MaskOnDevice(session, memory.allocate([rows, 1, 1, length, length]));
  }

  /** It is overwritten by the next. */
  async of({ rows, length, firstSlots }: PackedTokens): Promise<Tensor> {
    const mask = beginningOf(this.#whole, [rows, 1, 1, length, length]);
    const slots = Float32Array.from({ length }, (_, slot) => slot);
    await this.#session.run(
      { slots: { data: slots, shape: [length] }, first_slots: { data: firstSlots, shape: [rows, length] } },
      { mask },
    );
    return mask;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
