import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { commonDirectory } from '../../safetensors/common-directory.ts';
import { nestedGraphs } from './nested-graphs.ts';

/**
 * Checks that the files beside a model hold what its graph takes from them, and has the graph name them by their real
 * paths: in the Hugging Face hub's cache they are links to another directory.
 *
 * @param path of the model's file
 * @returns the directory that the graph's locations are relative to
 * @throws FuseMeshError not_found where a file is missing, data_loss where one ends too early, invalid_argument where
 *   the model names one outside of its directory
 */
export async function resolveExternalData(graph: GraphProto, path: string): Promise<string> {
  const files = new Map<string, string>();
  for (const [name, bytes] of neededBytes(graph)) {
    if (isAbsolute(name) || normalize(name).startsWith('..')) {
      throw new FuseMeshError(
        'invalid_argument',
        `${path} keeps its weights in ${name}, outside of its directory: export it again, with its weights beside it`,
      );
    }
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
    files.set(name, await realpath(file));
  }
  if (files.size === 0) return dirname(path);
  const directory = commonDirectory([...files.values()]);
  for (const { externalData } of externalTensors(graph)) {
    const location = externalData.find(({ key }) => key === 'location')!;
    location.value = relative(directory, files.get(location.value)!);
  }
  return directory;
}

function* externalTensors(graph: GraphProto): Generator<TensorProto> {
  for (const { initializer } of nestedGraphs(graph)) {
    for (const tensor of initializer) {
      if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) yield tensor;
    }
  }
}

/** How many bytes each file must have at least, by its name. */
function neededBytes(graph: GraphProto): ReadonlyMap<string, number> {
  const needed = new Map<string, number>();
  for (const { externalData } of externalTensors(graph)) {
    const { location, offset, length } = Object.fromEntries(
      externalData.map(({ key, value }) => [key, value]),
    );
    const end = Number(offset ?? 0) + Number(length ?? 0);
    needed.set(location, Math.max(end, needed.get(location) ?? 0));
  }
  return needed;
}
