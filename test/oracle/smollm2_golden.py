"""Golden file of SmolLM2-135M-Instruct, from transformers, for npm run test:real.

Run: npm run smollm2 && python test/oracle/smollm2_golden.py [DIRECTORY]   (torch 2.13, transformers 5, safetensors)
Writes test/golden-smollm2/expected.safetensors:
  input_ids [1, T]: tokens of a paragraph of English
  picked_ids [P]: every so many ids of the vocabulary, and the likeliest after the last token
  logits [T, P] at them
  greedy [64]: the tokens that greedy search puts behind the first PROMPT tokens, whatever they are
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

REPOSITORY = Path(__file__).parent.parent.parent
DIRECTORY = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "models" / "smollm2-135m-instruct"
PROMPT, GENERATED = 24, 64
TEXT = """The lighthouse keeper climbed the narrow stairs every evening, long before the sun went down. He cleaned the
glass, filled the lamp, and wrote the weather into a book that nobody had asked to read for years.""".replace("\n", " ")


def main():
    model = AutoModelForCausalLM.from_pretrained(DIRECTORY, dtype=torch.float32, attn_implementation="eager").eval()
    ids = AutoTokenizer.from_pretrained(DIRECTORY)(TEXT, return_tensors="pt").input_ids
    prompt = ids[:, :PROMPT]
    with torch.inference_mode():
        logits = model(ids).logits[0]
        greedy = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=GENERATED, do_sample=False, eos_token_id=None
        )[0, PROMPT:]
    picked = torch.cat([torch.arange(0, logits.shape[1], 1024), logits[-1].topk(16).indices])
    expected = {
        "input_ids": ids.to(torch.int32),
        "picked_ids": picked.to(torch.int32),
        "logits": logits[:, picked].contiguous(),
        "greedy": greedy.to(torch.int32),
    }
    directory = REPOSITORY / "test" / "golden-smollm2"
    directory.mkdir(exist_ok=True)
    save_file(expected, directory / "expected.safetensors")
    margins = logits.topk(2).values
    print(f"{ids.shape[1]} tokens, least margin of the likeliest {(margins[:, 0] - margins[:, 1]).min():.4f}")


main()
