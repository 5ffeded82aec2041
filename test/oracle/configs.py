"""What transformers makes of a config.json that says a thing twice, elsewhere than usual, or not at all.

Run: python test/oracle/configs.py   (transformers 5.24, torch 2.13); writes test/golden-configs.json: for each config
  config: the config.json
  inverse_frequencies, amplitude: of the rotary embedding
  context, heads, head_size, sliding_window: the numbers of the model
and test/golden-layers.json, where layers may differ: kinds of layers, each with frequencies (null without positions),
amplitude and window, and kind_of_layer.
"""

import json
from pathlib import Path

from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

GOLDEN = Path(__file__).parent.parent / "golden-configs.json"
LAYERS = GOLDEN.with_name("golden-layers.json")
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

LONG = dict(short_factor=[1.0, 1.2, 1.4, 1.6], long_factor=[2.0, 3.0, 4.0, 5.0])
LONGER = dict(max_position_embeddings=4096, original_max_position_embeddings=128)
LINEAR = dict(rope_type="linear", factor=8.0)
TYPES = dict(full_attention=dict(rope_type="default", rope_theta=5000.0), sliding_attention=dict(rope_type="default", rope_theta=500.0))

# Families in which layers may differ.
LAYERED = {
    "gemma with sizes alone": dict(model_type="gemma", num_attention_heads=16),
    "gemma2 with sizes alone": dict(model_type="gemma2"),
    "gemma2 with layer_types": dict(model_type="gemma2", head_dim=8, sliding_window=16, layer_types=["full_attention"] * 4 + ["sliding_attention"] * 3),
    "gemma3 with sizes alone": dict(model_type="gemma3_text"),
    "gemma3 as released": dict(model_type="gemma3_text", head_dim=8, rope_theta=1e6, rope_local_base_freq=2e4, rope_scaling=LINEAR, sliding_window=512, sliding_window_pattern=3),
    "gemma3 by types": dict(model_type="gemma3_text", head_dim=8, rope_parameters=TYPES),
    "gemma3 by types, one is missing": dict(model_type="gemma3_text", head_dim=8, rope_parameters=dict(sliding_attention=TYPES["sliding_attention"]), rope_theta=700.0),
    "gemma3 rope_scaling beside types": dict(model_type="gemma3_text", head_dim=8, rope_parameters=TYPES, rope_scaling=LINEAR),
    "gemma3 not by types": dict(model_type="gemma3_text", head_dim=8, rope_parameters=PLAIN),
    "gemma3 base beside types": dict(model_type="gemma3_text", head_dim=8, rope_parameters=TYPES, rope_theta=700.0, rope_local_base_freq=70.0),
    "phi3 with sizes alone": dict(model_type="phi3", **HEADS),
    "phi3 with a window": dict(model_type="phi3", **HEADS, sliding_window=100),
    "phi3 longrope": dict(model_type="phi3", **HEADS, **LONGER, rope_scaling=dict(LONG, type="longrope")),
    "phi3 yarn": dict(model_type="phi3", **HEADS, **LONGER, rope_parameters=dict(LONG, rope_type="yarn", rope_theta=900.0)),
    "phi3 longrope with factors": dict(model_type="phi3", **HEADS, **LONGER, rope_scaling=dict(LONG, type="longrope", factor=4.0)),
    "phi3 longrope with an amplitude": dict(model_type="phi3", **HEADS, **LONGER, rope_scaling=dict(LONG, type="longrope", attention_factor=1.25)),
    "phi3 original context inside": dict(model_type="phi3", **HEADS, max_position_embeddings=8192, rope_scaling=dict(LONG, type="longrope", original_max_position_embeddings=128)),
    "phi3 partly rotated": dict(model_type="phi3", **HEADS, partial_rotary_factor=0.5),
    "phi3 partly rotated, said inside": dict(model_type="phi3", **HEADS, partial_rotary_factor=0.5, rope_parameters=dict(PLAIN, partial_rotary_factor=0.75)),
    "olmo2 with sizes alone": dict(model_type="olmo2"),
    "olmo2 llama3": dict(model_type="olmo2", rope_scaling=dict(LLAMA3, original_max_position_embeddings=128)),
    "smollm3 with sizes alone": dict(model_type="smollm3"),
    "smollm3 with windows": dict(model_type="smollm3", use_sliding_window=True, sliding_window=16, no_rope_layers=[1, 0, 0, 1, 1, 1, 0]),
    "smollm3 window not used": dict(model_type="smollm3", sliding_window=16, rope_theta=300.0),
    "granite with sizes alone": dict(model_type="granite"),
    "granite both places": dict(model_type="granite", rope_parameters=PLAIN, rope_scaling=YARN),
    "qwen2 with windows": dict(model_type="qwen2", **HEADS, use_sliding_window=True, sliding_window=16, max_window_layers=3),
    "qwen3 with layer_types": dict(model_type="qwen3", **HEADS, use_sliding_window=True, layer_types=["sliding_attention"] * 2 + ["full_attention"] * 5),
    "qwen3 windows not used": dict(model_type="qwen3", **HEADS, sliding_window=16),
    "starcoder2 with sizes alone": dict(model_type="starcoder2"),
    "starcoder2 with a window": dict(model_type="starcoder2", sliding_window=16, rope_theta=300.0),
    "stablelm with sizes alone": dict(model_type="stablelm", num_attention_heads=32, hidden_size=256),
    "stablelm with both shares": dict(model_type="stablelm", **HEADS, partial_rotary_factor=0.5, rope_parameters=dict(PLAIN, partial_rotary_factor=0.75)),
    "llama longrope": dict(model_type="llama", **HEADS, **LONGER, rope_scaling=dict(LONG, rope_type="longrope")),
}


def layer_of(model, config, index):
    """What a layer computes with: its frequencies, their amplitude, its window."""
    rotary, attention = model.model.rotary_emb, model.model.layers[index].self_attn
    kind = (getattr(config, "layer_types", None) or [None] * 7)[index]
    named = f"{kind}_" if hasattr(rotary, f"{kind}_inv_freq") else ""
    frequencies = getattr(rotary, f"{named}inv_freq").tolist() if getattr(attention, "use_rope", True) else None
    window = attention.sliding_window if hasattr(attention, "sliding_window") else getattr(config, "sliding_window", None)
    return dict(inverse_frequencies=frequencies, amplitude=getattr(rotary, f"{named}attention_scaling"), window=window)


def layered(variant):
    written = dict(SIZES, num_hidden_layers=7) | variant
    for key in ("pad_token_id", "bos_token_id", "eos_token_id"):
        written[key] = None
    config = AutoConfig.for_model(**json.loads(json.dumps(written)))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    layers = [layer_of(model, config, index) for index in range(7)]
    kinds = [layer for index, layer in enumerate(layers) if layer not in layers[:index]]
    return dict(
        config=written,
        key_value_heads=config.num_key_value_heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        tied=config.tie_word_embeddings,
        kinds=kinds,
        kind_of_layer=[kinds.index(layer) for layer in layers],
    )


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
    layers = {name: layered(variant) for name, variant in LAYERED.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in layers.items())
    LAYERS.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
