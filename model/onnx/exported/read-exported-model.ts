import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { type GraphProto, type ModelProto, ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ElementType } from '../../graph/tensor-type.ts';
import { valueInfo } from '../value-info.ts';
import { readExportedConfig } from './config.ts';
import { resolveExternalData } from './external-data.ts';
import { inputNodes } from './inputs.ts';
import { declaredLogits } from './logits.ts';
import { nestedGraphs, prefixNames } from './nested-graphs.ts';

/** A causal language model that PyTorch, Optimum or another exporter wrote as ONNX. */
export interface ExportedModel {
  /** model_type of config.json. */
  readonly family: string;
  /**
   * Floating-point values among its constants; most weights of a quantized model are integers and not
   * counted.
   */
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Longest input, in tokens. */
  readonly contextLength: number;
  /**
   * The model from our inputs, input_ids int32 [batch, length] and position_ids int64 [batch, length], to
   * its logits [batch, length, vocabulary]. The names of its own values all begin with `exported/`.
   */
  readonly proto: ModelProto;
  /** What its session must be opened with: constants that lie in files are named relative to it. */
  readonly weightsDirectory: string;
  readonly logits: { readonly name: string; readonly elementType: ElementType };
}

const prefix = 'exported/';

/** In earlier ones, the operators that we put around a model have other inputs. */
const oldestOperatorSet = 11;

/**
 * Reads an .onnx file; constants that lie in files beside it are left there.
 *
 * @param directory where its config.json stands
 * @throws FuseMeshError not_found when a file is missing, data_loss when one is damaged, invalid_argument when
 * it is no causal language model that we can run
 */
export async function readExportedModel(path: string, directory: string): Promise<ExportedModel> {
  const { model, graph } = await readModel(path);
  const configPath = join(directory, 'config.json');
  const config = await readExportedConfig(configPath);
  const { elementType, vocabularySize = config.vocabularySize } = declaredLogits(graph, path);
  if (vocabularySize !== config.vocabularySize) {
    throw new FuseMeshError(
      'invalid_argument',
      `${path} has logits of ${vocabularySize} tokens, ${configPath} a vocab_size of ${config.vocabularySize}: they do not belong together`,
    );
  }
  const given = inputNodes(graph, prefix, path);
  const weightsDirectory = await resolveExternalData(graph, path);

  prefixNames(graph, prefix);
  graph.node = [...given, ...graph.node];
  graph.input = [
    valueInfo('input_ids', { elementType: 'int32', shape: ['batch', 'length'] }),
    valueInfo('position_ids', { elementType: 'int64', shape: ['batch', 'length'] }),
  ];
  const logits = { name: `${prefix}logits`, elementType };
  return { ...config, parameters: countParameters(graph), proto: model, weightsDirectory, logits };
}

async function readModel(path: string): Promise<{ model: ModelProto; graph: GraphProto }> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FuseMeshError(
      missing ? 'not_found' : 'failed_precondition',
      missing ? `No model at ${path}: check the path` : `Cannot read ${path}: ${(cause as Error).message}`,
      { cause },
    );
  });
  let model: ModelProto | undefined;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    // Falls through to the error for any file that is no model.
  }
  if (!model?.graph)
    throw new FuseMeshError('data_loss', `${path} is not an ONNX model: download or export it again`);
  const operatorSet = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  if (operatorSet === undefined || operatorSet < oldestOperatorSet) {
    throw new FuseMeshError(
      'invalid_argument',
      `${path} is of operator set ${operatorSet ?? 0}: export it with ${oldestOperatorSet} or a newer one`,
    );
  }
  return { model, graph: model.graph };
}

function countParameters(graph: GraphProto): number {
  let count = 0;
  for (const { initializer } of nestedGraphs(graph)) {
    for (const { dataType, dims } of initializer) {
      if (floatingPoint.has(dataType)) count += dims.reduce((all, size) => all * Number(size), 1);
    }
  }
  return count;
}

const floatingPoint: ReadonlySet<TensorProto_DataType> = new Set([
  TensorProto_DataType.FLOAT,
  TensorProto_DataType.FLOAT16,
  TensorProto_DataType.BFLOAT16,
  TensorProto_DataType.DOUBLE,
]);
