import { z } from 'zod';
import { common, consistent, type LlamaConfig, shared, size } from './llama-config.ts';

/** Experts that all tokens go through, under the names that families give them. */
const noSharedExperts = z
  .literal([0, null], 'only 0 is supported: experts that all tokens go through are not')
  .optional();

const fields = shared.extend({
  num_local_experts: size.optional(),
  num_experts: z.number().int().nonnegative().optional(),
  shared_expert_intermediate_size: noSharedExperts,
  n_shared_experts: noSharedExperts,
  num_shared_experts: noSharedExperts,
});

/** @throws ZodError where the numbers of a model do not go together */
const enough = <T extends z.ZodType<LlamaConfig>>(schema: T) =>
  consistent(schema).refine(
    ({ layers, expertsOf }) =>
      Array.from({ length: layers }, (_, i) => expertsOf(i)).every(
        (experts) => experts === undefined || experts.perToken <= experts.count,
      ),
    { path: ['num_experts_per_tok'], message: 'must be no more than there are experts' },
  );

/** config.json of families with experts, as transformers writes it (MixtralConfig, Qwen3MoeConfig). */
export const expertConfigs = {
  mixtral: enough(
    fields
      .extend({
        num_key_value_heads: size.nullable().default(8),
        max_position_embeddings: size.default(131_072),
        rms_norm_eps: z.number().positive().default(1e-5),
        sliding_window: size.nullish(),
        num_experts_per_tok: size.default(2),
      })
      .transform((json) => {
        const { rotary, ...config } = common({ ...json, attention_bias: false }, { theta: 1_000_000 });
        const experts = {
          count: json.num_experts ?? json.num_local_experts ?? 8,
          perToken: json.num_experts_per_tok,
          intermediateSize: json.intermediate_size,
          isNormalised: true,
          names: { module: 'block_sparse_moe', gate: 'w1', up: 'w3', down: 'w2' },
        };
        return {
          ...config,
          layerOf: () => ({ rotary, window: json.sliding_window ?? undefined }),
          expertsOf: () => experts,
        };
      }),
  ),
  qwen3_moe: enough(
    fields
      .extend({
        num_key_value_heads: size.nullable().default(4),
        max_position_embeddings: size.default(32_768),
        use_sliding_window: z.boolean().default(false),
        sliding_window: size.nullable().default(4096),
        decoder_sparse_step: size.default(1),
        moe_intermediate_size: size.default(768),
        num_experts_per_tok: size.default(8),
        norm_topk_prob: z.boolean().default(false),
        mlp_only_layers: z.array(z.number().int()).nullish(),
      })
      .transform((json) => {
        const { rotary, ...config } = common(json);
        const window = (json.use_sliding_window && json.sliding_window) || undefined;
        const experts = {
          count: json.num_local_experts ?? json.num_experts ?? 128,
          perToken: json.num_experts_per_tok,
          intermediateSize: json.moe_intermediate_size,
          isNormalised: json.norm_topk_prob,
          names: { module: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' },
        };
        const hasExperts = (index: number) =>
          experts.count > 0 &&
          (index + 1) % json.decoder_sparse_step === 0 &&
          !json.mlp_only_layers?.includes(index);
        return {
          ...config,
          queryKeyNorm: 'of heads' as const,
          layerOf: () => ({ rotary, window }),
          expertsOf: (index: number) => (hasExperts(index) ? experts : undefined),
        };
      }),
  ),
} as const satisfies Readonly<Record<string, z.ZodType<LlamaConfig>>>;
