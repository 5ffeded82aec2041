import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { WeightsObject } from './weights-object.ts';

/** What who reads weights must know to make a model of them. */
export interface WeightsDescription {
  /** Fingerprint of the model that is trained, in hexadecimal: configuration, tokenizer and base come from there. */
  readonly model: string;
  /** How the tensors, as peft names them, count beside the model's weights; undefined where they are the weights. */
  readonly adapter: AdapterDescription | undefined;
}

export interface AdapterDescription {
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: string | readonly string[];
}

const adapterSchema = z.strictObject({
  rank: z.number().int().positive(),
  alpha: z.number(),
  targetModules: z.union([z.string(), z.array(z.string())]),
});

/** The description as the metadata of an object. */
export function describeWeights({ model, adapter }: WeightsDescription): Record<string, string> {
  if (adapter === undefined) return { model };
  const { rank, alpha, targetModules } = adapter;
  return { model, adapter: JSON.stringify({ rank, alpha, targetModules }) };
}

/** @throws FuseMeshError data_loss where the object has none that can be used */
export function descriptionOf({ step, metadata }: WeightsObject): WeightsDescription {
  const { model, adapter } = metadata;
  try {
    return {
      model: z.string().parse(model),
      adapter: adapter === undefined ? undefined : adapterSchema.parse(JSON.parse(adapter)),
    };
  } catch (cause) {
    throw new FuseMeshError(
      'data_loss',
      `The weights of step ${step} do not say what they are of: are trainer and service of one version of FuseMesh?`,
      { cause },
    );
  }
}
