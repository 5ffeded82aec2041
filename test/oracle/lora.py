"""Golden files for LoRA, from peft on models of test/golden.

Run: python test/oracle/lora.py [NAME …]   (torch 2.13, transformers 5, peft 0.21, safetensors; writes test/golden-lora)
Each folder is an adapter as peft saves it, and beside it expected.safetensors:
  input_ids, labels, fused_ids, fused_probabilities: the batch of the base model
  logits [B, T, V] with the adapter
  gradient:NAME of the fused loss by every tensor of the adapter
  losses [STEPS, 4]: loss, causal loss, fusion loss, gradient norm of each AdamW step
  final:NAME: every tensor of the adapter after the steps
  merged:NAME: the base model's weights that the adapter changes, with it folded in
"""

import json
import sys
from pathlib import Path

import torch
from families import CLIP, GOLDEN, LEARNING_RATE, STEPS, losses
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

OUTPUT = GOLDEN.parent / "golden-lora"
ADAPTERS = {
    "llama-untied": ("llama-full-untied", dict(r=4, lora_alpha=8, target_modules="all-linear")),
    "llama-expression": ("llama-grouped-tied", dict(r=2, lora_alpha=3, target_modules=r"model\.layers\.1\..*_proj")),
    "qwen2-stabilized": ("qwen2-grouped", dict(r=3, lora_alpha=4, target_modules=["q_proj", "up_proj"], use_rslora=True)),
    "gpt2-transposed": ("gpt2-tied", dict(r=3, lora_alpha=6, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)),
    "gpt_neox": ("gpt_neox-parallel", dict(r=2, lora_alpha=2, target_modules=["query_key_value", "dense_h_to_4h"])),
    "mpt": ("mpt-clipped", dict(r=2, lora_alpha=4, target_modules=["Wqkv", "down_proj"])),
    "gemma": ("gemma-tied", dict(r=2, lora_alpha=3, target_modules=["k_proj", "down_proj"])),
    "gemma2": ("gemma2-alternating", dict(r=2, lora_alpha=3, target_modules=["q_proj", "gate_proj"])),
    "gemma3_text": ("gemma3_text-alternating", dict(r=2, lora_alpha=4, target_modules="all-linear")),
    "phi3-fused": ("phi3-grouped", dict(r=2, lora_alpha=4, target_modules=["qkv_proj", "gate_up_proj"])),
    "olmo2": ("olmo2-grouped", dict(r=2, lora_alpha=3, target_modules=["q_proj", "v_proj"])),
    "smollm3": ("smollm3-grouped", dict(r=2, lora_alpha=3, target_modules=["k_proj", "up_proj"])),
    "granite": ("granite-grouped", dict(r=2, lora_alpha=3, target_modules=["o_proj", "down_proj"])),
    "starcoder2": ("starcoder2-grouped", dict(r=2, lora_alpha=3, target_modules=["q_proj", "c_fc"])),
    "stablelm": ("stablelm-partial", dict(r=2, lora_alpha=3, target_modules=["v_proj", "gate_proj"])),
    "falcon": ("falcon-new-grouped", dict(r=2, lora_alpha=3, target_modules=["query_key_value", "dense_h_to_4h"])),
}


def main(only):
    torch.set_num_threads(1)
    for number, (name, (base, options)) in enumerate(ADAPTERS.items()):
        if not name.startswith(tuple(only)):
            continue
        torch.manual_seed(number)
        plain = AutoModelForCausalLM.from_pretrained(GOLDEN / base, attn_implementation="eager").float()
        model = get_peft_model(plain, LoraConfig(task_type="CAUSAL_LM", **options))
        adapters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        for parameter in adapters.values():
            torch.nn.init.uniform_(parameter, -0.3, 0.3)
        directory = OUTPUT / name
        model.save_pretrained(directory)
        (directory / "README.md").unlink()
        path = directory / "adapter_config.json"
        config = json.loads(path.read_text())
        config["base_model_name_or_path"] = f"../../golden/{base}"
        # peft keeps a set, whose order changes from run to run.
        if isinstance(config["target_modules"], list):
            config["target_modules"].sort()
        path.write_text(json.dumps(config, indent=2) + "\n")

        of_base = load_file(GOLDEN / base / "expected.safetensors")
        expected = {key: of_base[key] for key in ("input_ids", "labels", "fused_ids", "fused_probabilities")}
        batch = {key: value.long() if value.dtype == torch.int32 else value for key, value in expected.items()}
        written = {n: n.replace(".default", "") for n in adapters}
        expected["logits"] = model(batch["input_ids"]).logits.detach().contiguous()
        optimizer = torch.optim.AdamW(
            [{"params": list(adapters.values()), "weight_decay": 0.1}], lr=LEARNING_RATE, betas=(0.9, 0.95)
        )
        steps = []
        for step in range(STEPS):
            optimizer.zero_grad()
            loss, causal, fusion = losses(model, batch)
            loss.backward()
            if step == 0:
                expected |= {f"gradient:{written[n]}": p.grad.clone() for n, p in adapters.items()}
            norm = torch.nn.utils.clip_grad_norm_(adapters.values(), CLIP)
            optimizer.step()
            steps.append([loss.item(), causal.item(), fusion.item(), norm.item()])
        expected["losses"] = torch.tensor(steps)
        expected |= {f"final:{written[n]}": p.detach().clone() for n, p in adapters.items()}

        before = load_file(GOLDEN / base / "model.safetensors")
        loaded = load_file(directory / "adapter_model.safetensors")
        for parameter, value in zip(adapters.values(), (loaded[written[n]] for n in adapters)):
            parameter.data.copy_(value)
        merged = model.merge_and_unload().state_dict()
        expected |= {
            f"merged:{n}": w.clone() for n, w in merged.items() if n in before and not torch.equal(w, before[n])
        }
        save_file(expected, directory / "expected.safetensors")


main(sys.argv[1:] or [""])
