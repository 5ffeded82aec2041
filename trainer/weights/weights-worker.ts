import type { TrainedTensor } from '../../engine/engine-snapshot.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import { modelFingerprint } from '../../model/model-fingerprint.ts';
import { serveWorker } from '../../model/runtime/worker.ts';
import { safetensorsParts } from '../../model/safetensors/write-safetensors.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { LateConnection } from '../../wire/nats/late-connection.ts';
import type { NatsSettings } from '../../wire/nats/login.ts';
import { openWeights, type RunWeights, type WeightsObject } from '../../wire/nats/weights.ts';
import { describeWeights } from '../../wire/nats/weights-description.ts';

/** Whose weights are published, and where. */
export interface WeightsThreadOptions {
  readonly run: string;
  readonly where: NatsSettings;
  /** Servers of a cluster that hold the weights. */
  readonly replicas: number;
  /** Hugging Face directory of the model that is trained. */
  readonly model: string;
  /** What the trained tensors are adapters of; undefined where they are the model's weights. */
  readonly adapter: LoraSettings | undefined;
}

/** Without an answer of the server for so long, a publication fails: by then there are newer weights. In seconds. */
const patience = 30;

let options: WeightsThreadOptions;
let connection: LateConnection;
let model: string;

const methods = {
  async start(given: WeightsThreadOptions): Promise<void> {
    options = given;
    const { run, where } = given;
    connection = new LateConnection(() => connectNats(where, `fusemesh trainer ${run}: weights`));
    model = Buffer.from(await modelFingerprint(options.model)).toString('hex');
  },

  async publish(step: number, tensors: readonly TrainedTensor[]): Promise<WeightsObject> {
    const weights = await opened();
    const parts = safetensorsParts(
      tensors.map(({ name, shape, weights }) => ({
        name,
        dtype: 'F32',
        shape,
        data: new Uint8Array(weights.buffer),
      })),
    );
    const metadata = describeWeights({ model, adapter: options.adapter });
    return weights.publish({ step, parts, metadata }, { patience, replicas: options.replicas });
  },

  has: async (object: WeightsObject): Promise<boolean> => (await opened()).has(object),

  close: (): Promise<void> => connection.close(),
};

const opened = async (): Promise<RunWeights> => openWeights(await connection.now(), options.run);

export type WeightsMethods = typeof methods;
serveWorker(methods);
