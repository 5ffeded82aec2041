"""The rival of `npm run prove -- gpu`: transformers and PyTorch, at their best, on the same card.

Run: python3 prove/gpu/torch_rival.py REQUEST   (torch and transformers; prove/gpu/jobs.ts starts it)
REQUEST is a JSON object, RivalRequest in prove/gpu/requests.ts. Writes one JSON line as prove/gpu/row.ts describes it,
with a note and no figures where something is not installed.

train  Full training in mixed precision: float32 weights and AdamW (fused), products in the precision by autocast,
       attention by SDPA, the causal loss alone, clipping by norm. Ours has the fusion loss besides.
teach  Log-probabilities of the top k and of the next token, brought to the processor; weights in the precision.
"""

import json
import resource
import sys
import time

WARM_UP, FEWEST = 3, 3
KIBIBYTES_OF_A_GIBIBYTE = 2**20


def say(**said):
    print(json.dumps(said), flush=True)


try:
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils import logging
except ImportError as error:
    say(note=f"not installed: {error}")
    sys.exit(0)


def median_seconds(seconds, turn):
    for _ in range(WARM_UP):
        turn()
    times, end = [], time.perf_counter() + seconds
    while len(times) < FEWEST or time.perf_counter() < end:
        began = time.perf_counter()
        turn()
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def autocast(device, precision):
    half = precision != torch.float32
    return torch.autocast(device.type, dtype=precision if half else None, enabled=half)


def train(request, device, precision, ids):
    model = LlamaForCausalLM.from_pretrained(
        request["directory"], dtype=torch.float32, attn_implementation="sdpa"
    ).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    # The gradients of float16 are so small that they would vanish.
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)
    run = torch.compile(model) if request["compile"] else model

    def step():
        with autocast(device, precision):
            loss = run(input_ids=ids, labels=ids, use_cache=False).loss
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    first = step()
    return median_seconds(request["seconds"], step), {"first loss": first}


def teach(request, device, precision, ids):
    model = LlamaForCausalLM.from_pretrained(
        request["directory"], dtype=precision, attn_implementation="sdpa"
    ).to(device).eval()
    run = torch.compile(model) if request["compile"] else model
    labels = ids.roll(-1, 1).unsqueeze(-1)

    @torch.inference_mode()
    def score():
        logits = run(input_ids=ids, use_cache=False).logits.float()
        normalizer = logits.logsumexp(-1, keepdim=True)
        values, candidates = logits.topk(request["topK"])
        of_labels = logits.gather(-1, labels) - normalizer
        return (values - normalizer).cpu(), candidates.cpu(), of_labels.cpu()

    nats = -score()[2][:, :-1].mean().item()
    return median_seconds(request["seconds"], score), {"nats/token": nats}


def main():
    request = json.loads(sys.argv[1])
    device = torch.device(request["device"])
    if device.type == "cuda":
        if not torch.cuda.is_available():
            say(note=f"not installed: torch {torch.__version__} has no CUDA here")
            return
        torch.cuda.set_device(device)
    logging.disable_progress_bar()
    # As ours: products in float32 where float32 is asked for.
    torch.set_float32_matmul_precision("highest")
    ids = torch.tensor(request["texts"], device=device)
    task = {"train": train, "teach": teach}[request["task"]]
    median, figures = task(request, device, getattr(torch, request["precision"]), ids)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTES_OF_A_GIBIBYTE
    say(figures={"tokens/s": ids.numel() / median, "host GiB": peak} | figures, note=f"torch {torch.__version__}")


main()
