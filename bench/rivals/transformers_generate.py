"""The rival of `npm run bench -- serve`: transformers' generate of a batch, padded on the left.

Run: python bench/rivals/transformers_generate.py DIRECTORY THREADS   (torch 2.13, transformers 5; bench/serve.ts starts it)
Speaks JSON lines, as bench/serving/our-worker.ts does. Says {"ready": true} when the model is loaded; then
  takes  {"prompts": texts, "maxTokens": new tokens of each, by greedy search,
          "alone": optional: one prompt after the other, without padding}
  gives  {"seconds": of generate alone, "peakBytes": the largest resident set of this process so far,
          "tokenIds": new tokens of each, up to the end of text}
"""

import json
import resource
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

KIBIBYTE = 1024


def generate(model, tokenizer, prompts, max_tokens):
    batch = tokenizer(prompts, return_tensors="pt", padding=True)
    began = time.perf_counter()
    output = model.generate(**batch, max_new_tokens=max_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    seconds = time.perf_counter() - began
    ends = model.generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends])
    new = []
    for row in output[:, batch["input_ids"].shape[1] :].tolist():
        end = next((i for i, token in enumerate(row) if token in ends), len(row) - 1)
        new.append(row[: end + 1])
    return seconds, new


def answer(model, tokenizer, request):
    prompts = request["prompts"]
    seconds, new = 0.0, []
    for batch in [[prompt] for prompt in prompts] if request.get("alone") else [prompts]:
        taken, tokens = generate(model, tokenizer, batch, request["maxTokens"])
        seconds += taken
        new += tokens
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    return {"seconds": seconds, "peakBytes": peak, "tokenIds": new}


def main():
    directory, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(directory, padding_side="left")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").eval()
    print(json.dumps({"ready": True}), flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            print(json.dumps(answer(model, tokenizer, json.loads(line))), flush=True)


main()
