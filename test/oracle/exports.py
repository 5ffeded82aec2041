"""Loads what FuseMesh wrote and compares its logits: npm run prove -- export calls it.

Run: python test/oracle/exports.py DIRECTORY [--limit 1e-5]   (torch 2.13, transformers 5, peft 0.21, onnx, onnxruntime, safetensors)
DIRECTORY has a folder for every model with
  model, merged: Hugging Face directories, with model.onnx or not, and MODEL.logits.safetensors with our logits
  adapter: a LoRA adapter, which with its base model must give what merged gives
What is not there is passed over. Exit code 1 where a difference is above the limit,
which is relative to the largest logit where that is above 1: so is float32's rounding.
"""

import argparse
import os
import sys
from pathlib import Path

# Before onnxruntime is loaded, which would report to its maker otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy
import onnx
import onnxruntime
import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def of_transformers(directory, ids):
    model, report = AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"], (directory, report)
    return model(ids).logits


def of_peft(adapter, ids):
    base = AutoModelForCausalLM.from_pretrained(
        PeftConfig.from_pretrained(adapter).base_model_name_or_path, dtype=torch.float32, attn_implementation="eager"
    )
    return PeftModel.from_pretrained(base, adapter)(ids).logits


def of_onnx(directory, ids):
    path = str(directory / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    assert {entry.domain for entry in onnx.load(path, load_external_data=False).opset_import} == {""}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    positions = numpy.broadcast_to(numpy.arange(ids.shape[1]), ids.shape).astype(numpy.int64)
    feeds = {"input_ids": ids.numpy(), "attention_mask": numpy.ones(ids.shape, numpy.int64), "position_ids": positions}
    return torch.tensor(session.run(["logits"], feeds)[0])


def main(root, limit):
    worst = 0.0
    for directory in sorted(path for path in root.iterdir() if path.is_dir()):
        differences = {}
        for name in ("model", "merged"):
            if not (directory / name).exists():
                continue
            ours = load_file(directory / f"{name}.logits.safetensors")
            ids = ours["input_ids"].long()

            def difference(logits):
                largest = max(1.0, ours["logits"].abs().max().item())
                return (logits.detach().reshape(ours["logits"].shape) - ours["logits"]).abs().max().item() / largest

            differences[f"{name}, transformers"] = difference(of_transformers(directory / name, ids))
            if (directory / name / "model.onnx").exists():
                differences[f"{name}, onnx"] = difference(of_onnx(directory / name, ids))
            if name == "merged":
                differences["adapter, peft"] = difference(of_peft(directory / "adapter", ids))
        print(f"{directory.name:24}", "  ".join(f"{what} {value:.1e}" for what, value in differences.items()))
        worst = max(worst, *differences.values())
    print(f"largest difference {worst:.2e}, allowed {limit:.0e}")
    sys.exit(0 if worst <= limit else 1)


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("directory", type=Path)
arguments.add_argument("--limit", type=float, default=1e-5)
given = arguments.parse_args()
main(given.directory, given.limit)
