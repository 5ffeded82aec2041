"""Golden file of multiple-choice scores, by the formula of lm-evaluation-harness on two models of examples/zoo.

Run: python test/oracle/choices.py   (torch 2.13, transformers 5; reads test/golden-eval/questions.jsonl)
Writes test/golden-eval/expected.json, for each model:
  logLikelihoods: one list a question, one sum of log-probabilities a choice
  acc, accNorm and their standard errors
and test/golden-eval/expected-chat.json, the same with --apply_chat_template: each context is what a user says in the
template test/golden-eval/chat.jinja, no delimiter stands behind it, and no special tokens are added.

The harness is lm_eval 0.4 (TemplateLM._encode_pair, HFLM._loglikelihood_tokens, ConfigurableTask.process_results and
mean_stderr). Its models take max_length tokens besides the last, which is only predicted; so max_length is one less
than our context, in which the last token has a place.
"""

import json
from math import sqrt
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

REPOSITORY = Path(__file__).parent.parent.parent
GOLDEN = REPOSITORY / "test" / "golden-eval"
MODELS = ["orator", "novelist"]
DELIMITER = " "
CONTEXT_KEYS, CHOICE_KEYS, ANSWER_KEYS = ["query", "question", "context", "ctx"], ["choices", "endings"], ["gold", "answer", "label", "answerKey"]


def first(line, keys):
    return next(line[key] for key in keys if key in line)


def question(line):
    choices, answer = first(line, CHOICE_KEYS), first(line, ANSWER_KEYS)
    if isinstance(choices, dict):
        return first(line, CONTEXT_KEYS), choices["text"], choices["label"].index(answer)
    if isinstance(answer, str):
        answer = int(answer) if answer.isdigit() else ord(answer) - ord("A")
    return first(line, CONTEXT_KEYS), choices, answer


def encode_pair(tokenizer, context, continuation, **options):
    spaces = len(context) - len(context.rstrip())
    if spaces > 0:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    before = tokenizer.encode(context, **options)
    return before, tokenizer.encode(context + continuation, **options)[len(before) :]


@torch.inference_mode()
def log_likelihood(model, before, continuation, max_length):
    ids = torch.tensor((before + continuation)[-(max_length + 1) :][:-1])
    log_probabilities = model(ids[None]).logits[0, -len(continuation) :].log_softmax(-1)
    return log_probabilities.gather(1, torch.tensor(continuation)[:, None]).sum().item()


def mean_and_error(hits):
    mean = sum(hits) / len(hits)
    deviation = sqrt(sum((hit - mean) ** 2 for hit in hits) / (len(hits) - 1))
    return mean, deviation / sqrt(len(hits))


def greatest(values):
    return values.index(max(values))


def encode_chat_pair(tokenizer, context, continuation):
    messages = [{"role": "user", "content": context}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return encode_pair(tokenizer, rendered, continuation, add_special_tokens=False)


def evaluate(name, questions, template=None):
    directory = REPOSITORY / "examples" / "zoo" / name
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    tokenizer.chat_template = template
    all_sums, hits, hits_by_length = [], [], []
    for context, choices, answer in questions:
        if template is None:
            pairs = [encode_pair(tokenizer, context, DELIMITER + choice) for choice in choices]
        else:
            pairs = [encode_chat_pair(tokenizer, context, choice) for choice in choices]
        sums = [log_likelihood(model, *pair, tokenizer.model_max_length - 1) for pair in pairs]
        by_length = [value / len(choice) for value, choice in zip(sums, choices)]
        all_sums.append(sums)
        hits.append(float(greatest(sums) == answer))
        hits_by_length.append(float(greatest(by_length) == answer))
        longest = max(len(before) + len(after) for before, after in pairs)
        margins = [sorted(values)[-1] - sorted(values)[-2] for values in (sums, by_length)]
        print(f"{name}: {longest} tokens, margins {margins[0]:.3f} and {margins[1]:.3f} by length")
    acc, acc_error = mean_and_error(hits)
    acc_norm, acc_norm_error = mean_and_error(hits_by_length)
    print(f"{name}: acc {acc:.3f} ± {acc_error:.3f}, acc_norm {acc_norm:.3f} ± {acc_norm_error:.3f}")
    return {
        "logLikelihoods": all_sums,
        "acc": acc,
        "accStandardError": acc_error,
        "accNorm": acc_norm,
        "accNormStandardError": acc_norm_error,
    }


def main():
    lines = (GOLDEN / "questions.jsonl").read_text().splitlines()
    questions = [question(json.loads(line)) for line in lines]
    for file, template in [("expected.json", None), ("expected-chat.json", (GOLDEN / "chat.jinja").read_text())]:
        expected = {name: evaluate(name, questions, template) for name in MODELS}
        (GOLDEN / file).write_text(json.dumps(expected, indent=2) + "\n")


main()
