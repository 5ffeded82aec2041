"""The rival of `npm run bench -- optimizer`: clip_grad_norm_ and torch.optim.AdamW on one thread.

Run: python bench/rivals/torch_adamw.py   (torch 2.13; bench/optimizer.ts starts it)
Speaks JSON lines. Says {"ready": true}; then takes {"parameters"} and gives {"foreachSeconds", "fusedSeconds"} of one
step in both of PyTorch's fast ways.
"""

import json
import sys
import time

import torch


def optimizer_of(parameters, **way):
    tensor = torch.nn.Parameter(torch.rand(parameters) - 0.5)
    tensor.grad = torch.rand(parameters) - 0.5
    return torch.optim.AdamW([tensor], lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, **way)


def seconds_of(optimizer):
    began = time.perf_counter()
    torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return time.perf_counter() - began


def main():
    torch.set_num_threads(1)
    print(json.dumps({"ready": True}), flush=True)
    known = None
    for line in sys.stdin:
        parameters = json.loads(line)["parameters"]
        if parameters != known:
            foreach, fused = optimizer_of(parameters, foreach=True), optimizer_of(parameters, fused=True)
            known = parameters
        answer = {"foreachSeconds": seconds_of(foreach), "fusedSeconds": seconds_of(fused)}
        print(json.dumps(answer), flush=True)


main()
