import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type {
  GRPCInferenceService,
  ModelInferRequest,
} from '../../wire/generated/inference/grpc_predict_v2_pb.ts';
import type { Implementation } from '../../wire/grpc/implementation.ts';
import { type OutputTensor, outputFields } from './output-tensors.ts';

/** What a tensor of a model is; −1 stands for any length. */
export interface TensorDescription {
  readonly name: string;
  readonly datatype: 'BYTES' | 'FP32' | 'INT64';
  readonly shape: readonly bigint[];
}

/** A model's answer. */
export interface Inferred {
  readonly outputs: readonly OutputTensor[];
  /** Version that gave it. */
  readonly version: string;
  /** Whole numbers beside the outputs. */
  readonly parameters?: Readonly<Record<string, bigint>>;
}

/** A model as the Open Inference Protocol sees it. */
export interface InferenceModel {
  readonly name: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** The version that answers now. */
  version(): string;
  /**
   * @param wanted names of the outputs that are asked for; empty where the model chooses
   * @throws FuseMeshError invalid_argument for inputs or parameters that it does not take
   */
  infer(request: ModelInferRequest, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<Inferred>;
}

/** What the protocol calls the kind of a model. */
const platform = 'fusemesh';

/**
 * The Open Inference Protocol (KServe v2) over one model.
 * https://github.com/kserve/open-inference-protocol, specification/protocol/inference_grpc.md
 */
export function inferenceService(
  model: InferenceModel,
  readiness: Readiness,
): Implementation<typeof GRPCInferenceService> {
  const refuseOther = (name: string, version: string) => {
    if (name !== model.name) {
      throw new FuseMeshError(
        'not_found',
        `There is no model "${name.slice(0, 80)}" here; there is ${model.name}.`,
      );
    }
    const served = model.version();
    if (version !== '' && version !== served) {
      throw new FuseMeshError(
        'not_found',
        `Version ${version.slice(0, 80)} of ${name} is not served now; ${served} is. Leave the version out for the newest.`,
      );
    }
  };
  return {
    async serverLive() {
      return { live: true };
    },
    async serverReady() {
      return { ready: readiness.ready };
    },
    async modelReady({ name, version }) {
      const isServed = name === model.name && (version === '' || version === model.version());
      return { ready: readiness.ready && isServed };
    },
    async serverMetadata() {
      return { name: 'fusemesh', version: ownVersion, extensions: [] };
    },
    async modelMetadata({ name, version }) {
      refuseOther(name, version);
      const shown = (tensors: readonly TensorDescription[]) =>
        tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] }));
      const { inputs, outputs } = model;
      return { name, versions: [model.version()], platform, inputs: shown(inputs), outputs: shown(outputs) };
    },
    async modelInfer(request, { signal }) {
      refuseOther(request.modelName, request.modelVersion);
      const wanted = wantedOutputs(request, model);
      const { outputs, version, parameters = {} } = await model.infer(request, wanted, signal);
      const given = wanted.size === 0 ? outputs : outputs.filter(({ name }) => wanted.has(name));
      return {
        modelName: model.name,
        modelVersion: version,
        id: request.id,
        parameters: Object.fromEntries(
          Object.entries(parameters).map(([name, value]) => [
            name,
            { parameterChoice: { case: 'int64Param' as const, value } },
          ]),
        ),
        ...outputFields(given, request.rawInputContents.length > 0),
      };
    },
  };
}

function wantedOutputs({ outputs }: ModelInferRequest, model: InferenceModel): ReadonlySet<string> {
  for (const { name, parameters } of outputs) {
    const [parameter] = Object.keys(parameters);
    if (model.outputs.some((one) => one.name === name) && parameter === undefined) continue;
    const names = model.outputs.map((one) => one.name).join(', ');
    throw new FuseMeshError(
      'invalid_argument',
      parameter === undefined
        ? `ModelInfer: ${model.name} has no output ${name.slice(0, 80)}; it has ${names}.`
        : `ModelInfer: the output ${name} has the parameter ${parameter}, which is not done here.`,
    );
  }
  return new Set(outputs.map(({ name }) => name));
}
