"""Golden files for every family, its gradients and AdamW, from transformers and PyTorch.

Run: python test/oracle/families.py [--seed 0] [--output test/golden] [--only gemma phi3]   (torch 2.13, transformers 5, safetensors)
Other random weights: --seed 7 --output DIR, then FUSEMESH_GOLDEN=DIR npm test -- model/families engine
Each folder is a Hugging Face directory of a small random model, and expected.safetensors beside it; of models with
experts, which are not trained, the first three lines of it:
  input_ids [B, T], labels [B, T] (-1 where nothing is to be learnt), fused_ids and fused_probabilities [B, T, K]
  logits [B, T, V]
  greedy [GENERATED]: the tokens that greedy search puts behind the first PROMPT tokens of input_ids[0]
  gradient:NAME of the fused loss by every weight
  losses [STEPS, 4]: loss, causal loss, fusion loss, gradient norm of each AdamW step
  final:NAME: every weight after the steps
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

GOLDEN = Path(__file__).parent.parent / "golden"
# At ten times this rate PyTorch's own losses in float32 and float64 part by 1e-4 within 20 steps.
LAMBDA, STEPS, LEARNING_RATE, CLIP = 0.9, 20, 1e-3, 1.0
B, T, K = 2, 12, 3
PROMPT, GENERATED = 6, 64

CONFIGS = {
    "llama-grouped-tied": dict(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True),
    "llama-full-untied": dict(num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=False),
    "llama-one-head-wide": dict(
        num_attention_heads=4, num_key_value_heads=1, head_dim=8, tie_word_embeddings=False, rope_theta=500.0
    ),
    "llama-biased-llama3": dict(
        num_attention_heads=2, num_key_value_heads=1, attention_bias=True, mlp_bias=True,
        rope_parameters=dict(
            rope_type="llama3", rope_theta=100.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=2.0,
            original_max_position_embeddings=24,
        ),
    ),
    "llama-linear": dict(
        num_attention_heads=2, num_key_value_heads=2, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)
    ),
    "llama-yarn": dict(
        num_attention_heads=1, num_key_value_heads=1,
        rope_parameters=dict(
            rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=24, beta_fast=2.0
        ),
    ),
    "llama-dynamic": dict(
        num_attention_heads=2, num_key_value_heads=2, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)
    ),
    "mistral-windowed": dict(num_attention_heads=4, num_key_value_heads=2, head_dim=6, sliding_window=5),
    "qwen2-grouped": dict(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True),
    "qwen3-wide": dict(num_attention_heads=2, num_key_value_heads=1, head_dim=12),
    "gpt2-tied": dict(n_head=4),
    "gpt2-untied-exact-gelu": dict(n_head=2, tie_word_embeddings=False, activation_function="gelu", n_inner=20),
    "gpt2-one-head": dict(n_head=1, layer_norm_epsilon=1e-3),
    "gpt_neox-parallel": dict(num_attention_heads=2, rotary_pct=0.5),
    "gpt_neox-sequential": dict(num_attention_heads=4, rotary_pct=1.0, use_parallel_residual=False),
    "gpt_neox-no-bias-tied": dict(
        num_attention_heads=2, rotary_pct=0.25, attention_bias=False, tie_word_embeddings=True, rotary_emb_base=100,
    ),
    "mpt-clipped": dict(n_heads=4, attn_config=dict(clip_qkv=0.5)),
    "mpt-six-heads": dict(n_heads=6, d_model=24),
    "mpt-untied": dict(n_heads=2, tie_word_embeddings=False),
    "qwen2-windowed": dict(num_attention_heads=2, num_key_value_heads=1, use_sliding_window=True, sliding_window=4, max_window_layers=1),
    "gemma-tied": dict(num_attention_heads=4, num_key_value_heads=1, head_dim=6),
    "gemma-untied-biased": dict(
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, tie_word_embeddings=False, attention_bias=True, hidden_act="gelu",
    ),
    "gemma-linear": dict(
        num_attention_heads=1, num_key_value_heads=1, head_dim=8,
        rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0),
    ),
    "gemma2-alternating": dict(
        num_attention_heads=4, num_key_value_heads=2, head_dim=6, sliding_window=4, query_pre_attn_scalar=9,
        attn_logit_softcapping=1.5, final_logit_softcapping=2.0,
    ),
    "gemma2-uncapped-untied": dict(
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, sliding_window=3, query_pre_attn_scalar=8,
        attn_logit_softcapping=None, final_logit_softcapping=None, tie_word_embeddings=False,
        layer_types=["full_attention", "sliding_attention"],
    ),
    "gemma2-one-head": dict(
        num_attention_heads=1, num_key_value_heads=1, head_dim=8, sliding_window=80, query_pre_attn_scalar=16,
        attn_logit_softcapping=0.5, final_logit_softcapping=30.0, hidden_activation="silu",
    ),
    "gemma3_text-alternating": dict(
        num_attention_heads=4, num_key_value_heads=2, head_dim=6, sliding_window=4, query_pre_attn_scalar=9, sliding_window_pattern=2,
    ),
    "gemma3_text-stretched-capped": dict(
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, sliding_window=3, query_pre_attn_scalar=8,
        final_logit_softcapping=2.0, layer_types=["full_attention", "sliding_attention"],
        rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000.0),
            sliding_attention=dict(rope_type="default", rope_theta=100.0),
        ),
    ),
    "gemma3_text-untied-biased": dict(
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=16, tie_word_embeddings=False,
        attention_bias=True, sliding_window=80,
    ),
    "phi3-grouped": dict(num_attention_heads=4, num_key_value_heads=2, original_max_position_embeddings=96),
    "phi3-windowed-tied": dict(
        num_attention_heads=2, num_key_value_heads=2, sliding_window=4, tie_word_embeddings=True,
        original_max_position_embeddings=96,
    ),
    "phi3-longrope-partial": dict(
        num_attention_heads=2, num_key_value_heads=1, partial_rotary_factor=0.75, max_position_embeddings=768,
        original_max_position_embeddings=96,
        rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.3, 2.1], long_factor=[2.0, 4.0, 8.0],
        ),
    ),
    "olmo2-grouped": dict(num_attention_heads=4, num_key_value_heads=2),
    "olmo2-full-tied": dict(num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True, rope_theta=500.0),
    "olmo2-one-head-biased": dict(num_attention_heads=1, num_key_value_heads=1, attention_bias=True),
    "smollm3-grouped": dict(num_attention_heads=4, num_key_value_heads=2, no_rope_layer_interval=2),
    "smollm3-windowed": dict(
        num_attention_heads=2, num_key_value_heads=2, no_rope_layers=[0, 1], use_sliding_window=True, sliding_window=4,
        tie_word_embeddings=False,
    ),
    "smollm3-biased": dict(num_attention_heads=2, num_key_value_heads=1, attention_bias=True, mlp_bias=True),
    "granite-grouped": dict(
        num_attention_heads=4, num_key_value_heads=2, embedding_multiplier=3.0, residual_multiplier=0.5,
        attention_multiplier=0.25, logits_scaling=4.0,
    ),
    "granite-tied-biased": dict(
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
        embedding_multiplier=2.0, residual_multiplier=0.22, attention_multiplier=0.5, logits_scaling=3.0,
    ),
    "granite-one-head": dict(
        num_attention_heads=1, num_key_value_heads=1, embedding_multiplier=12.0, residual_multiplier=0.22,
        attention_multiplier=0.2, logits_scaling=8.0,
    ),
    "starcoder2-grouped": dict(num_attention_heads=4, num_key_value_heads=2),
    "starcoder2-windowed-untied": dict(
        num_attention_heads=2, num_key_value_heads=1, sliding_window=4, tie_word_embeddings=False, use_bias=False,
    ),
    "starcoder2-one-head": dict(num_attention_heads=1, num_key_value_heads=1, hidden_act="gelu", norm_epsilon=1e-3),
    "stablelm-partial": dict(num_attention_heads=2, num_key_value_heads=2),
    "stablelm-parallel-normed": dict(
        num_attention_heads=2, num_key_value_heads=1, qk_layernorm=True, use_parallel_residual=True, use_qkv_bias=True,
        partial_rotary_factor=1.0,
    ),
    "stablelm-tied": dict(num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True, partial_rotary_factor=0.5),
    "falcon-multi-query": dict(num_attention_heads=4),
    "falcon-new-grouped": dict(num_attention_heads=4, num_kv_heads=2, new_decoder_architecture=True, bias=True),
    "falcon-new-one-norm": dict(
        num_attention_heads=2, num_kv_heads=2, new_decoder_architecture=True, num_ln_in_parallel_attn=1, ffn_hidden_size=24,
    ),
    "falcon-sequential-untied": dict(
        num_attention_heads=2, multi_query=False, parallel_attn=False, tie_word_embeddings=False,
        activation="gelu_pytorch_tanh",
    ),
    "mixtral-grouped": dict(num_attention_heads=4, num_key_value_heads=2, num_local_experts=6, num_experts_per_tok=2),
    "mixtral-windowed-tied": dict(
        num_attention_heads=2, num_key_value_heads=1, num_local_experts=4, num_experts_per_tok=1, sliding_window=4,
        tie_word_embeddings=True, head_dim=12,
    ),
    "mixtral-together": dict(num_attention_heads=2, num_key_value_heads=2, num_local_experts=3, num_experts_per_tok=3),
    "qwen3_moe-grouped": dict(
        num_attention_heads=4, num_key_value_heads=2, head_dim=6, num_experts=8, num_experts_per_tok=3, moe_intermediate_size=12,
        norm_topk_prob=True,
    ),
    "qwen3_moe-sparse-tied": dict(
        num_attention_heads=2, num_key_value_heads=1, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=20,
        decoder_sparse_step=2, num_hidden_layers=4, mlp_only_layers=[3], tie_word_embeddings=True, attention_bias=True,
    ),
    "qwen3_moe-windowed-together": dict(
        num_attention_heads=2, num_key_value_heads=2, num_experts=4, num_experts_per_tok=4, moe_intermediate_size=8,
        use_sliding_window=True, sliding_window=4, hidden_act="gelu",
    ),
    # Its scores are as large as they come: of all these models, float32 tells its gradients the least exactly.
    "granite-plain": dict(num_attention_heads=2, num_key_value_heads=1),
}

# They can teach alone.
WITH_EXPERTS = {"mixtral", "qwen3_moe"}

# Their configurations name a token for padding, which has no gradient in an embedding, or is beyond the vocabulary.
PADDED = {"gemma", "gemma2", "gemma3_text", "phi3", "olmo2", "smollm3", "starcoder2", *WITH_EXPERTS}
NO_SPECIAL_TOKENS = dict(pad_token_id=None, bos_token_id=None, eos_token_id=None)

SIZES = {
    "llama": dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, max_position_embeddings=96),
    "gpt2": dict(n_embd=16, n_layer=2, n_positions=96, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
    "mpt": dict(d_model=16, n_layers=2, max_seq_len=96),
}


def losses(model, batch):
    log_probabilities = model(batch["input_ids"]).logits.log_softmax(-1)
    real = batch["labels"] >= 0
    labels = batch["labels"].clamp(min=0)
    causal = -(log_probabilities.gather(-1, labels[..., None])[..., 0] * real).sum() / real.sum()
    dense = torch.zeros_like(log_probabilities).scatter_add(-1, batch["fused_ids"], batch["fused_probabilities"])
    fusion = -(dense * log_probabilities * real[..., None]).sum() / real.sum()
    return LAMBDA * causal + (1 - LAMBDA) * fusion, causal, fusion


def main(seed, golden, only):
    # Small products are slower in several threads.
    torch.set_num_threads(1)
    for number, (name, options) in enumerate(CONFIGS.items()):
        if not name.startswith(tuple(only)):
            continue
        torch.manual_seed(1000 * seed + number)
        family = name.split("-")[0]
        config = AutoConfig.for_model(
            family, **{"vocab_size": 50, "initializer_range": 0.3} | (NO_SPECIAL_TOKENS if family in PADDED else {}) | SIZES.get(family, SIZES["llama"]) | options
        )
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
        # Gemma adds 1 to them.
        lowest = -0.5 if family.startswith("gemma") else 0.5
        for norm in [p for n, p in model.named_parameters() if ("norm" in n or "ln_" in n) and n.endswith("weight")]:
            torch.nn.init.uniform_(norm, lowest, lowest + 1)
        for bias in [p for n, p in model.named_parameters() if n.endswith(".bias")]:
            torch.nn.init.uniform_(bias, -0.5, 0.5)
        directory = golden / name
        # Of a name with "together", all experts of a layer in one tensor.
        model.save_pretrained(directory, save_original_format="together" not in name)
        (directory / "generation_config.json").unlink(missing_ok=True)

        labels = torch.randint(0, 50, (B, T))
        labels[1, T - 4 :] = -1
        probabilities = torch.rand(B, T, K)
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
        probabilities[0, 3] = 0
        fused_ids = torch.stack([torch.randperm(50)[:K] for _ in range(B * T)]).view(B, T, K)
        batch = {
            "input_ids": torch.randint(0, 50, (B, T)), "labels": labels,
            "fused_ids": fused_ids, "fused_probabilities": probabilities,
        }
        expected = {key: value.to(torch.int32) if value.dtype == torch.int64 else value for key, value in batch.items()}
        # Some models are written under other names than PyTorch has for their weights.
        written = {"lm_head.weight": "embed_out.weight"} if family == "gpt_neox" else {}
        parameters = {written.get(n, n): p for n, p in model.named_parameters()}
        expected["logits"] = model(batch["input_ids"]).logits.detach().contiguous()
        prompt = batch["input_ids"][:1, :PROMPT]
        generated = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=GENERATED, do_sample=False, eos_token_id=None
        )
        expected["greedy"] = generated[0, PROMPT:].to(torch.int32)
        if family in WITH_EXPERTS:
            save_file(expected, directory / "expected.safetensors")
            continue

        decayed = [p for p in model.parameters() if p.dim() > 1]
        rest = [p for p in model.parameters() if p.dim() == 1]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
            lr=LEARNING_RATE, betas=(0.9, 0.95),
        )
        steps = []
        for step in range(STEPS):
            optimizer.zero_grad()
            loss, causal, fusion = losses(model, batch)
            loss.backward()
            if step == 0:
                expected |= {f"gradient:{n}": p.grad.clone() for n, p in parameters.items()}
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            steps.append([loss.item(), causal.item(), fusion.item(), norm.item()])
        expected["losses"] = torch.tensor(steps)
        expected |= {f"final:{n}": p.detach().clone() for n, p in parameters.items()}
        save_file(expected, directory / "expected.safetensors")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--output", type=Path, default=GOLDEN)
    arguments.add_argument("--only", nargs="+", default=[""], help="models whose names begin so")
    given = arguments.parse_args()
    main(given.seed, given.output, given.only)
