import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { formatShape, sameShape } from '../graph/shape.ts';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { absent, isUnset } from '../unset.ts';
import type { LoraSettings } from './lora-settings.ts';

/** peft's names for the files of an adapter. */
export const adapterWeightsFile = 'adapter_model.safetensors';
export const adapterConfigFile = 'adapter_config.json';

/** Initializations that make A and B alone; the base model stays as it is. */
const plainInitializations = [true, false, null, 'gaussian', 'orthogonal', 'eva', 'mica'];

/** Fields of peft's LoraConfig that change nothing of what a trained adapter computes. */
const withoutEffect: ReadonlySet<string> = new Set([
  'auto_mapping',
  'corda_config',
  'eva_config',
  'inference_mode',
  'loftq_config',
  'lora_dropout',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'task_type',
]);

/** adapter_config.json of a LoRA, as peft writes it (LoraConfig), where we support what it asks for. */
const schema = z
  .object({
    peft_type: z.literal('LORA'),
    base_model_name_or_path: z.string().nullish(),
    r: z.number().int().positive(),
    lora_alpha: z.number(),
    target_modules: z.union([z.string(), z.array(z.string()).nonempty()]),
    bias: z.literal('none', 'trained biases are not supported').default('none'),
    use_rslora: z.boolean().default(false),
    fan_in_fan_out: z.boolean().default(false),
    init_lora_weights: z
      .unknown()
      .refine((value) => plainInitializations.includes(value as string), {
        error: ({ input }) =>
          `${JSON.stringify(input)} changes the base model itself, and how is not in the adapter: merge it with peft, or ` +
          'save it with path_initial_model_for_weight_conversion, which makes a plain LoRA of it',
      })
      .optional(),
    use_dora: absent('DoRA'),
    alora_invocation_tokens: absent('aLoRA, which acts behind its invocation tokens only,'),
  })
  .catchall(z.unknown())
  .superRefine((json, context) => {
    for (const [field, value] of Object.entries(json)) {
      if (field in schema.shape || withoutEffect.has(field) || isUnset(value)) continue;
      context.addIssue({ code: 'custom', path: [field], message: 'is set and not supported' });
    }
  });

/** An adapter's settings, and the model that it belongs to. */
export interface AdapterConfig extends LoraSettings {
  /** Where its base model is, as written in the file; undefined if it does not say. */
  readonly baseModel: string | undefined;
  /** Whether the adapted weights are stored as [in, out] (GPT-2's Conv1D). */
  readonly transposed: boolean;
}

/** @throws FuseMeshError not_found when there is none, invalid_argument for what is not supported */
export async function readAdapterConfig(directory: string): Promise<AdapterConfig> {
  const path = join(directory, adapterConfigFile);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FuseMeshError(
      'not_found',
      `No adapter at ${path}: give a directory with ${adapterConfigFile} and ${adapterWeightsFile}`,
      { cause },
    );
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${path} is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new FuseMeshError('invalid_argument', `${path}: ${problems.join('; ')}`);
  }
  const {
    r: rank,
    lora_alpha,
    use_rslora,
    fan_in_fan_out,
    target_modules,
    base_model_name_or_path,
  } = parsed.data;
  return {
    rank,
    // Rank-stabilized LoRA (Kalajdzievski 2023) divides by √rank.
    alpha: use_rslora ? lora_alpha * Math.sqrt(rank) : lora_alpha,
    targetModules: target_modules,
    baseModel: base_model_name_or_path ?? undefined,
    transposed: fan_in_fan_out,
  };
}

/**
 * Reads adapter_model.safetensors.
 *
 * @param shapes what must be in it, and nothing else
 * @throws FuseMeshError not_found when there is none, invalid_argument when it does not fit
 */
export async function readAdapters(
  directory: string,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<ReadonlyMap<string, Float32Array<ArrayBuffer>>> {
  const path = join(directory, adapterWeightsFile);
  const file = await openSafetensors(path);
  try {
    const refusal = (problem: string) => new FuseMeshError('invalid_argument', `${path}: ${problem}`);
    for (const name of file.tensors.keys()) {
      if (!shapes.has(name)) throw refusal(`"${name}" is no adapter of a linear layer of the model`);
    }
    const adapters = new Map<string, Float32Array<ArrayBuffer>>();
    for (const [name, shape] of shapes) {
      const stored = file.tensors.get(name);
      if (!stored) throw refusal(`"${name}" is missing; its ${adapterConfigFile} asks for it`);
      if (!sameShape(stored.shape, shape))
        throw refusal(`"${name}" is ${formatShape(stored.shape)} and should be ${formatShape(shape)}`);
      adapters.set(name, await file.readFloat32(name));
    }
    return adapters;
  } finally {
    await file.close();
  }
}
