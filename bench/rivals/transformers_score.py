"""The rival of `npm run bench -- score`: transformers, log-probabilities and torch.topk, at their best on a CPU.

Run: python bench/rivals/transformers_score.py DIRECTORY THREADS   (torch 2.13, transformers 5; bench/score.ts starts it)
Speaks JSON lines, as bench/scoring/our-worker.ts does. Says {"ready": true} when the model is loaded; then
  takes  {"texts": token ids of each text, "k": candidates}
  gives  {"seconds", "peakBytes": the largest resident set of this process so far,
          "candidateIds", "logProbabilities": k of each token, by falling probability,
          "labelLogProbabilities": of the token that follows, for all but the last of each text}
The texts are padded on the right. There is no attention mask: in causal attention no token sees what stands
behind it, and without a mask PyTorch takes its faster kernel. Log-probabilities are computed in two ways, by
log_softmax of everything and by the normalizer alone; the faster one counts.
"""

import json
import resource
import sys
import time

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

KIBIBYTE = 1024


def by_log_softmax(logits, labels, k):
    log_probabilities = logits.log_softmax(-1)
    return *log_probabilities.topk(k), log_probabilities.gather(-1, labels)


def by_normalizer(logits, labels, k):
    normalizer = logits.logsumexp(-1, keepdim=True)
    values, ids = logits.topk(k)
    return values - normalizer, ids, logits.gather(-1, labels) - normalizer


def timed(function, *parameters):
    began = time.perf_counter()
    result = function(*parameters)
    return time.perf_counter() - began, result


def logits_of(model, texts):
    length = max(map(len, texts))
    ids = torch.tensor([text + [0] * (length - len(text)) for text in texts])
    return model(ids, use_cache=False).logits, ids.roll(-1, 1).unsqueeze(-1)


def score(model, texts, k):
    forward, (logits, labels) = timed(logits_of, model, texts)
    whole, _ = timed(by_log_softmax, logits, labels, k)
    normalizer, (values, ids, label_values) = timed(by_normalizer, logits, labels, k)
    lengths = [len(text) for text in texts]

    def kept(tensor, less=0):
        return torch.cat([row[: length - less].flatten() for row, length in zip(tensor, lengths)]).tolist()

    return {
        "seconds": forward + min(whole, normalizer),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE,
        "candidateIds": kept(ids),
        "logProbabilities": kept(values),
        "labelLogProbabilities": kept(label_values, less=1),
    }


def main():
    directory, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").eval()
    print(json.dumps({"ready": True}), flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(score(model, request["texts"], request["k"])), flush=True)


main()
