"""The rivals of `npm run bench -- train`: a training step in transformers and PyTorch, on a CPU.

Run: python bench/rivals/torch_train.py DIRECTORY THREADS WAY   (torch 2.13, transformers 5; bench/train.ts starts it)
Speaks JSON lines, as bench/training/our-worker.ts does. Says {"ready": true} when the model is loaded; then
  takes  {"inputIds", "labels" [B, T] (-1: nothing to learn), "fusedIds", "fusedProbabilities" [B, T, K],
          "lambda", "learningRate"}
  gives  {"seconds", "loss", "tokens": those with a label, "peakBytes": the largest resident set of this process so far}
The loss is lambda * causal + (1 - lambda) * cross-entropy of the fused distribution, means over the tokens with a label.
WAY is one of
  fusellm  as FuseLLM's DistillTrainer and DataCollatorForDistill with distill_loss_type ce, the setting of their
           README: the model computes the causal loss, the batch's target is a dense [B, T, V] tensor, made for every
           batch. They fill it in a loop over all positions and choose between several such tensors; one
           scatter into one tensor, as here, is faster than theirs. Theirs is in bfloat16, this one in float32
  sparse   no target of the vocabulary's width. SparseHead was the fastest of gather behind log_softmax or logsumexp with
           autograd's gradient, the gradient by hand over all tokens at once, and by hand over some tokens at a time
There is no attention mask: in causal attention no token sees what stands behind it, and without a mask PyTorch takes
its faster kernel.
"""

import json
import resource
import sys
import time

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM
from transformers.utils import logging

KIBIBYTE = 1024
IGNORED = -100


def fusellm(model, batch, share):
    real = batch["labels"] >= 0
    labels = batch["labels"].masked_fill(~real, IGNORED)
    outputs = model(batch["inputIds"], labels=labels, shift_labels=labels, use_cache=False)
    rows, length, size = outputs.logits.shape
    dense = torch.zeros(rows, length, size).scatter_add_(-1, batch["fusedIds"], batch["fusedProbabilities"])
    fusion = cross_entropy(outputs.logits.view(-1, size), dense.view(-1, size), reduction="none").view(rows, length)
    return share * outputs.loss + (1 - share) * (fusion * real).sum() / real.sum()


class SparseHead(torch.autograd.Function):
    """-sum weights * log softmax(hidden @ head.T)[ids], with its gradient: CHUNK tokens at a time, in one buffer.

    hidden [N, H], head [V, H], ids and weights [N, 1 + K]
    """

    CHUNK = 1024

    @staticmethod
    def forward(context, hidden, head, ids, weights):
        hidden_gradient, head_gradient = torch.empty_like(hidden), torch.zeros_like(head)
        loss = torch.zeros(())
        chunks = zip(*(x.split(SparseHead.CHUNK) for x in (hidden, ids, weights, hidden_gradient)))
        for some_hidden, some_ids, some_weights, some_gradient in chunks:
            logits = some_hidden @ head.T
            normalizer = logits.logsumexp(-1, keepdim=True)
            loss -= ((logits.gather(-1, some_ids) - normalizer) * some_weights).sum()
            mass = some_weights.sum(-1, keepdim=True)
            logits_gradient = logits.sub_(normalizer).exp_().mul_(mass).scatter_add_(-1, some_ids, -some_weights)
            torch.mm(logits_gradient, head, out=some_gradient)
            head_gradient.addmm_(logits_gradient.T, some_hidden)
        context.save_for_backward(hidden_gradient, head_gradient)
        return loss

    @staticmethod
    def backward(context, gradient):
        hidden_gradient, head_gradient = context.saved_tensors
        return hidden_gradient.mul_(gradient), head_gradient.mul_(gradient), None, None


def sparse(model, batch, share):
    hidden = model.model(batch["inputIds"], use_cache=False).last_hidden_state
    real = (batch["labels"] >= 0)[..., None]
    ids = torch.cat([batch["labels"][..., None].clamp(min=0), batch["fusedIds"]], -1)
    weights = torch.cat([torch.full(real.shape, share), (1 - share) * batch["fusedProbabilities"]], -1)
    weights = weights * real / real.sum()
    return SparseHead.apply(hidden.flatten(0, 1), model.lm_head.weight, ids.flatten(0, 1), weights.flatten(0, 1))


def step(model, optimizer, loss_of, request):
    batch = {name: torch.tensor(request[name]) for name in ("inputIds", "labels", "fusedIds", "fusedProbabilities")}
    optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = request["learningRate"]
    began = time.perf_counter()
    loss = loss_of(model, batch, request["lambda"])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return {
        "seconds": time.perf_counter() - began,
        "loss": loss.item(),
        "tokens": (batch["labels"] >= 0).sum().item(),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE,
    }


def main():
    directory, threads, way = sys.argv[1:]
    torch.set_num_threads(int(threads))
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], betas=(0.9, 0.95)
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(step(model, optimizer, {"fusellm": fusellm, "sparse": sparse}[way], json.loads(line))), flush=True)


main()
