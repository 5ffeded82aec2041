"""What transformers makes of a config.json that says a thing twice, elsewhere than usual, or not at all.

Run: python test/oracle/configs.py   (transformers 5.24, torch 2.13); writes test/golden-configs.json: for each config
  config: the config.json
  inverse_frequencies, amplitude: of the rotary embedding
  context, heads, head_size, sliding_window: the numbers of the model
"""

import json
from pathlib import Path

from transformers import AutoConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

GOLDEN = Path(__file__).parent.parent / "golden-configs.json"
SIZES = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4)
HEADS = dict(num_key_value_heads=2)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=64)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
PLAIN = dict(rope_type="default", rope_theta=500.0)

VARIANTS = {
    "both places": dict(model_type="llama", **HEADS, rope_parameters=PLAIN, rope_scaling=YARN),
    "both places, bases too": dict(model_type="qwen2", **HEADS, rope_parameters=PLAIN, rope_scaling=YARN, rope_theta=700.0),
    "both places, base within": dict(model_type="qwen3", **HEADS, rope_parameters=PLAIN, rope_scaling=dict(YARN, rope_theta=900.0)),
    "rope_scaling null": dict(model_type="llama", **HEADS, rope_parameters=dict(YARN, rope_theta=100.0), rope_scaling=None),
    "rope_scaling empty": dict(model_type="llama", **HEADS, rope_parameters=dict(YARN, rope_theta=100.0), rope_scaling={}),
    "base beside rope_parameters": dict(model_type="llama", **HEADS, rope_parameters=dict(YARN), rope_theta=100.0),
    "base in both": dict(model_type="llama", **HEADS, rope_parameters=dict(PLAIN), rope_theta=100.0),
    "type instead of rope_type": dict(model_type="llama", **HEADS, rope_scaling=dict(type="linear", factor=2.0)),
    "original context outside": dict(model_type="llama", **HEADS, rope_scaling=LLAMA3, original_max_position_embeddings=128, max_position_embeddings=1024),
    "original context twice": dict(model_type="llama", **HEADS, rope_scaling=YARN, original_max_position_embeddings=128, max_position_embeddings=1024),
    "original context nowhere": dict(model_type="llama", **HEADS, rope_scaling=LLAMA3, max_position_embeddings=1024),
    "yarn factor null": dict(model_type="llama", **HEADS, rope_scaling=dict(YARN, factor=None), max_position_embeddings=512),
    "mistral with sizes alone": dict(model_type="mistral", **dict(SIZES, num_attention_heads=8)),
    "mistral without a window": dict(model_type="mistral", **HEADS, sliding_window=None),
    "qwen2 with sizes alone": dict(model_type="qwen2", **dict(SIZES, hidden_size=64, num_attention_heads=32)),
    "qwen3 with sizes alone": dict(model_type="qwen3", **dict(SIZES, num_attention_heads=32)),
    "llama with sizes alone": dict(model_type="llama"),
    "swish": dict(model_type="llama", hidden_act="swish"),
}


def main() -> None:
    golden = {}
    for name, variant in VARIANTS.items():
        written = dict(SIZES, **variant) if "vocab_size" not in variant else variant
        # As from a file: from_dict changes what it is given.
        config = AutoConfig.for_model(**json.loads(json.dumps(written)))
        config.head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        rotary = LlamaRotaryEmbedding(config)
        golden[name] = dict(
            config=written,
            inverse_frequencies=rotary.inv_freq.tolist(),
            amplitude=rotary.attention_scaling,
            context=config.max_position_embeddings,
            key_value_heads=config.num_key_value_heads,
            head_size=config.head_dim,
            sliding_window=getattr(config, "sliding_window", None),
        )
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
