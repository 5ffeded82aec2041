"""Golden quantized models: small random ones, packed as GPTQ, AWQ, bitsandbytes and MLX pack them.

Run: python test/oracle/quantized.py [--output test/golden-quantized]
Needs: torch 2.13, transformers 5, safetensors, numpy, bitsandbytes 0.50, mlx[cpu] 0.32
bitsandbytes and mlx quantize and dequantize themselves. GPTQ and AWQ are packed here, from the layouts of AutoGPTQ
and AutoAWQ; what they hold is computed from the codes before they are packed.
Each folder is a Hugging Face directory, and expected.safetensors beside it:
  input_ids [T], logits [T, V] of transformers on the dequantized weights in float32
  values:MODULE [out, in] of two layers: what they hold, in float32
"""

import argparse
import json
import shutil
from pathlib import Path

import bitsandbytes.functional as bnb
import mlx.core as mx
import numpy as np
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

T, HIDDEN, INNER, VOCABULARY = 12, 32, 64, 56
SHOWN = ["model.layers.0.self_attn.k_proj", "model.layers.0.mlp.down_proj"]


def words(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes [..., n] as int32 [..., n · bits / 32], the lower bits first."""
    per = 32 // bits
    shifts = np.arange(per, dtype=np.uint32) * bits
    grouped = codes.astype(np.uint32).reshape(*codes.shape[:-1], -1, per)
    return np.bitwise_or.reduce(grouped << shifts, axis=-1).view(np.int32)


def affine(random: np.random.Generator, weight: np.ndarray, bits: int, group: int):
    """Codes [out, in], float16 scales [groups, out] and zero points [groups, out] of rounding to the nearest."""
    out, n = weight.shape
    grouped = weight.reshape(out, n // group, group)
    low, high = np.minimum(grouped.min(-1), 0), np.maximum(grouped.max(-1), 0)
    scales = ((high - low) / (2**bits - 1)).astype(np.float16)
    zeros = np.clip(np.round(-low / scales.astype(np.float32)), 1, 2**bits - 1)
    wide = scales.astype(np.float32)[..., None]
    codes = np.clip(np.round(grouped / wide) + zeros[..., None], 0, 2**bits - 1)
    values = (codes - zeros[..., None]).astype(np.float32) * wide
    return codes.reshape(out, n).astype(np.int64), scales.T.copy(), zeros.T.astype(np.int64), values.reshape(out, n)


def gptq(random, weight, *, bits, group_size, desc_act=False, checkpoint_format="gptq", **_):
    n = weight.shape[1]
    group = n if group_size == -1 else group_size
    order = random.permutation(n) if desc_act else np.arange(n)
    codes, scales, zeros, values = affine(random, weight[:, order], bits, group)
    back = np.argsort(order)
    stored = zeros - 1 if checkpoint_format == "gptq" else zeros
    parts = {
        "qweight": words(codes[:, back], bits).T.copy(),
        "scales": scales,
        "qzeros": words(stored, bits),
        "g_idx": (np.arange(n) // group)[back].astype(np.int32),
    }
    return {f".{name}": torch.from_numpy(part) for name, part in parts.items()}, values[:, back]


def awq(random, weight, *, group_size, **_):
    codes, scales, zeros, values = affine(random, weight, 4, group_size)
    order = np.array([0, 2, 4, 6, 1, 3, 5, 7])
    pack = lambda rows: words(rows.reshape(rows.shape[0], -1, 8)[..., order].reshape(rows.shape), 4)
    parts = {"qweight": pack(codes.T), "scales": scales, "qzeros": pack(zeros)}
    return {f".{name}": torch.from_numpy(part) for name, part in parts.items()}, values


def bitsandbytes(random, weight, *, load_in_8bit=False, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=False, **_):
    tensor = torch.from_numpy(weight)
    if load_in_8bit:
        codes, scb, _ = bnb.int8_vectorwise_quant(tensor.half())
        values = bnb.int8_vectorwise_dequant(codes, scb)
        parts = {".weight": codes, ".SCB": scb, ".weight_format": torch.tensor(0, dtype=torch.uint8)}
        return parts, values.numpy()
    packed, state = bnb.quantize_4bit(
        tensor, blocksize=64, quant_type=bnb_4bit_quant_type, compress_statistics=bnb_4bit_use_double_quant
    )
    parts = {".weight": packed, **{f".weight.{name}": part for name, part in state.as_dict(packed=True).items()}}
    absmax = bnb.dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
    # Its kernel for AVX-512 is wrong where a block spans several rows.
    values = _dequantize_4bit_compute(packed.reshape(-1), absmax, state.code, 64, tensor.shape, torch.float32)
    return parts, values.numpy()


def mlx(random, weight, *, bits, group_size, **_):
    packed, scales, biases = mx.quantize(mx.array(weight).astype(mx.float16), group_size=group_size, bits=bits)
    wide = [part.astype(mx.float32) for part in (scales, biases)]
    values = mx.dequantize(packed, *wide, group_size=group_size, bits=bits)
    parts = {"weight": np.array(packed), "scales": np.array(scales), "biases": np.array(biases)}
    return {f".{name}": torch.from_numpy(part) for name, part in parts.items()}, np.array(values)


METHODS = dict(gptq=gptq, awq=awq, bitsandbytes=bitsandbytes, mlx=mlx)
GPTQ = dict(quant_method="gptq", bits=4, sym=False, desc_act=False)
BNB = dict(quant_method="bitsandbytes", load_in_4bit=True, load_in_8bit=False)
MODELS = {
    "gptq": (dict(), dict(**GPTQ, group_size=16)),
    "gptq-act-order": (
        dict(attention_bias=True), {**GPTQ, "group_size": 16, "desc_act": True, "checkpoint_format": "gptq_v2"}
    ),
    "gptq-8-bits-of-rows": (dict(), {**GPTQ, "bits": 8, "group_size": -1}),
    "gptq-small-groups": (dict(), dict(**GPTQ, group_size=8)),
    "awq": (dict(), dict(quant_method="awq", bits=4, group_size=16, version="gemm", zero_point=True)),
    "bitsandbytes-nf4": (dict(), dict(**BNB, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)),
    "bitsandbytes-fp4": (dict(), dict(**BNB, bnb_4bit_quant_type="fp4", bnb_4bit_use_double_quant=False)),
    "bitsandbytes-int8": (dict(), dict(quant_method="bitsandbytes", load_in_4bit=False, load_in_8bit=True)),
    "mlx": (
        dict(tie_word_embeddings=True),
        {"bits": 4, "group_size": 32, "model.layers.0.mlp.down_proj": dict(bits=8, group_size=64)},
    ),
    "mlx-8-bits": (dict(), dict(bits=8, group_size=32, mode="affine")),
}


def make(name: str, index: int, output: Path) -> None:
    changes, settings = MODELS[name]
    method = settings.get("quant_method", "mlx")
    random = np.random.default_rng(index)
    torch.manual_seed(index)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32, initializer_range=0.3,
        **{"tie_word_embeddings": False, **changes},
    )
    model = LlamaForCausalLM(config).eval()
    stored, expected = {}, {}
    modules = {n: m for n, m in model.named_modules() if isinstance(m, (torch.nn.Linear, torch.nn.Embedding))}
    with torch.no_grad():
        for module, layer in modules.items():
            tied = module == "lm_head" and config.tie_word_embeddings
            whole = module in ("lm_head", "model.embed_tokens")
            if tied:
                continue
            if whole and method != "mlx":
                layer.weight.copy_(layer.weight.half().float())
                stored[f"{module}.weight"] = layer.weight.half()
                continue
            own = {**settings, **settings.get(module, {})}
            parts, values = METHODS[method](random, layer.weight.numpy(), **own)
            stored |= {f"{module}{part}": tensor.contiguous() for part, tensor in parts.items()}
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(values)))
            if module in SHOWN:
                expected[f"values:{module}"] = layer.weight.clone()
        for parameter, values in model.named_parameters():
            if parameter.endswith("norm.weight") or parameter.endswith("bias"):
                values.add_(0.1 * torch.randn_like(values))
                values.copy_(values.half().float())
                stored[parameter] = values.half()
        expected["input_ids"] = torch.randint(VOCABULARY, (T,), dtype=torch.int32)
        expected["logits"] = model(expected["input_ids"][None].long()).logits[0].contiguous()
    directory = output / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    key = "quantization" if method == "mlx" else "quantization_config"
    (directory / "config.json").write_text(json.dumps({**config.to_dict(), key: settings}, indent=2) + "\n")
    save_file(stored, directory / "model.safetensors", metadata={"format": "pt"})
    save_file(expected, directory / "expected.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent.parent / "golden-quantized")
    arguments = parser.parse_args()
    for index, name in enumerate(MODELS):
        make(name, index, arguments.output)
