import { hiddenStates } from '../model/families/hidden-states.ts';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { fileWeights, openWeights } from '../model/families/weights.ts';
import { createGraph } from '../model/graph/operators.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { openSession } from '../model/runtime/session.ts';
import { writeSafetensors } from '../model/safetensors/write-safetensors.ts';

/** Token ids of a batch, row by row. */
interface Tokens {
  readonly rows: number;
  readonly length: number;
  readonly inputIds: Int32Array;
}

/** Writes DIRECTORY.logits.safetensors: input_ids [B, T] and our logits [B · T, V] of the model in DIRECTORY. */
export async function writeOurLogits(directory: string, { rows, length, inputIds }: Tokens): Promise<void> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  const graph = createGraph();
  const weights = fileWeights(architecture, source);
  const input = {
    inputIds: graph.input('input_ids', 'int32', [rows, length]),
    positions: graph.input('position_ids', 'int64', [rows, length]),
    ...weights.constants(graph),
  };
  const logits = architecture.logits(hiddenStates(architecture, input), input);
  const session = await openSession(emitModel({ logits }), {
    threads: 2,
    weightsDirectory: weights.directory,
  });
  const ids = Int32Array.from(inputIds);
  const positions = BigInt64Array.from(ids, (_, i) => BigInt(i % length));
  const results = await session.run({
    input_ids: { data: ids, shape: [rows, length] },
    position_ids: { data: positions, shape: [rows, length] },
  });
  await session.close();
  await source.close();
  const bytes = (data: Int32Array | Float32Array) =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const shape = [rows * length, architecture.vocabularySize];
  await writeSafetensors(`${directory}.logits.safetensors`, [
    { name: 'input_ids', dtype: 'I32', shape: [rows, length], data: bytes(ids) },
    { name: 'logits', dtype: 'F32', shape, data: bytes(results['logits'] as Float32Array) },
  ]);
}
