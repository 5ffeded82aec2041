"""Golden models as exporters write them, from transformers and PyTorch's two ONNX exporters.

Run: python test/oracle/exported.py   (torch 2.13, transformers 5, onnx, onnxscript, safetensors; writes
test/golden-onnx). Each folder is what a user has of a small random model: config.json, tokenizer.json (words
w0 to w49 between spaces), model.onnx or onnx/model.onnx, and expected.safetensors beside it:
  input_ids [B, T], -1 behind the end of a text
  log_probabilities [B, T, V] of the next token, every text computed alone, in float32
"""

import copy
import json
import shutil
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from torch.export import Dim
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

GOLDEN = Path(__file__).parent.parent / "golden-onnx"
V, LENGTHS = 50, (12, 1, 7)
LLAMA = dict(
    hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=16,
)

# What each export takes and how it is made: by tracing (dynamo=False) or by torch.export (dynamo=True).
EXPORTS = {
    "llama-masked": dict(
        config=LLAMA, inputs=("input_ids", "attention_mask", "position_ids"), dynamo=False, opset=14,
    ),
    # The layout of transformers.js, weights in a file of their own.
    "gpt2-half-external": dict(
        config=dict(n_embd=16, n_layer=2, n_head=2, n_positions=16), inputs=("input_ids", "attention_mask", "position_ids"),
        dynamo=True, opset=21, dtype=torch.float16, file="onnx/model.onnx",
    ),
    "qwen2-cached": dict(
        config=LLAMA, inputs=("input_ids", "attention_mask", "position_ids"), cached=True, dynamo=False, opset=11,
    ),
    "gpt_neox-int32-alone": dict(
        config=LLAMA | dict(rotary_pct=0.5), inputs=("input_ids",), dynamo=True, opset=18, ids=torch.int32,
    ),
}


class Exported(torch.nn.Module):
    """The model with the inputs and outputs of the export, in their order."""

    def __init__(self, model, names, cached):
        super().__init__()
        self.model, self.names, self.cached = model, names, cached

    def forward(self, *values):
        given = dict(zip(self.names, values))
        if not self.cached:
            return self.model(**given, use_cache=False).logits
        past = values[len(self.names) :]
        cache = DynamicCache(list(zip(past[::2], past[1::2])))
        out = self.model(**given, past_key_values=cache, use_cache=True)
        return out.logits, *[x for layer in out.past_key_values.layers for x in (layer.keys, layer.values)]


def export(model, path, inputs, dynamo, opset, cached=False, ids=torch.int64):
    batch, length, past = 2, 5, 3
    example = {
        "input_ids": torch.randint(0, V, (batch, length), dtype=ids),
        "attention_mask": torch.ones(batch, length + past * cached, dtype=torch.int64),
        "position_ids": torch.arange(past * cached, past * cached + length).expand(batch, length).contiguous(),
    }
    values = [example[name] for name in inputs]
    names, outputs, axes = list(inputs), ["logits"], {name: {0: "batch_size", 1: "sequence_length"} for name in inputs}
    if cached:
        config = model.config
        shape = (batch, config.num_key_value_heads, past, config.hidden_size // config.num_attention_heads)
        axes["attention_mask"] = {0: "batch_size", 1: "total_sequence_length"}
        for name in [f"{i}.{part}" for i in range(config.num_hidden_layers) for part in ("key", "value")]:
            names.append(f"past_key_values.{name}")
            outputs.append(f"present.{name}")
            values.append(torch.randn(shape))
            axes[names[-1]] = {0: "batch_size", 2: "past_sequence_length"}
            axes[outputs[-1]] = {0: "batch_size", 2: "total_sequence_length"}
    axes["logits"] = {0: "batch_size", 1: "sequence_length"}
    open_sizes = (
        dict(dynamic_shapes=(tuple({0: Dim("batch_size"), 1: Dim("sequence_length")} for _ in names),))
        if dynamo
        else dict(dynamic_axes=axes)
    )
    torch.onnx.export(
        Exported(model, inputs, cached).eval(), tuple(values), str(path), input_names=names, output_names=outputs,
        dynamo=dynamo, opset_version=opset, **open_sizes,
    )


def write_small(path, external):
    """Writes it anew without what only says where in PyTorch's sources a node comes from."""
    model = onnx.load(path)
    Path(f"{path}.data").unlink(missing_ok=True)
    for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for node in model.graph.node:
        node.ClearField("name")
    model.graph.ClearField("value_info")
    onnx.save_model(
        model, path, save_as_external_data=external, location=f"{path.name}_data", size_threshold=256,
    )
    onnx.checker.check_model(path)


def tokenizer():
    vocabulary = {f"w{i}": i for i in range(V)}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"},
    }


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for number, (name, options) in enumerate(EXPORTS.items()):
        torch.manual_seed(number)
        dtype, file = options.pop("dtype", torch.float32), options.pop("file", "model.onnx")
        config = AutoConfig.for_model(name.split("-")[0], vocab_size=V, initializer_range=0.3, **options.pop("config"))
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().to(dtype)
        # PyTorch rounds every product to float16, ONNX Runtime on a CPU few: both come near to float32.
        exact = copy.deepcopy(model).float()
        directory = GOLDEN / name
        path = directory / file
        path.parent.mkdir(parents=True)
        config.save_pretrained(directory)
        (directory / "tokenizer.json").write_text(json.dumps(tokenizer(), indent=2) + "\n")

        ids = torch.full((len(LENGTHS), max(LENGTHS)), -1)
        expected = torch.zeros(*ids.shape, V)
        for row, length in enumerate(LENGTHS):
            ids[row, :length] = torch.randint(0, V, (length,))
            with torch.no_grad():
                logits = exact(ids[row : row + 1, :length]).logits[0]
            expected[row, :length] = logits.log_softmax(-1)
        save_file(
            {"input_ids": ids.to(torch.int32), "log_probabilities": expected}, directory / "expected.safetensors"
        )
        export(model, path, **options)
        write_small(path, external=dtype == torch.float16)


main()
