import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type GraphProto, TensorProto_DataLocation } from 'onnx-buf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { nestedGraphs } from './nested-graphs.ts';

/**
 * Checks that the files beside a model hold what its graph takes from them.
 *
 * @param path of the model's file
 * @throws FuseMeshError not_found where a file is missing, data_loss where one ends too early
 */
export async function checkExternalData(graph: GraphProto, path: string): Promise<void> {
  for (const [name, bytes] of neededBytes(graph)) {
    const file = join(dirname(path), name);
    const { size } = await stat(file).catch((cause: unknown) => {
      throw new FuseMeshError(
        'not_found',
        `${path} keeps its weights in ${name}, but there is no ${file}: put it there, under that name`,
        { cause },
      );
    });
    if (size < bytes) {
      throw new FuseMeshError(
        'data_loss',
        `${file} has ${size} bytes, but ${path} needs ${bytes} of it: download it again`,
      );
    }
  }
}

/** How many bytes each file must have at least, by its name. */
function neededBytes(graph: GraphProto): ReadonlyMap<string, number> {
  const needed = new Map<string, number>();
  for (const { initializer } of nestedGraphs(graph)) {
    for (const { dataLocation, externalData } of initializer) {
      if (dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
      const { location, offset, length } = Object.fromEntries(
        externalData.map(({ key, value }) => [key, value]),
      );
      const end = Number(offset ?? 0) + Number(length ?? 0);
      needed.set(location, Math.max(end, needed.get(location) ?? 0));
    }
  }
  return needed;
}
