"""Loads functions of FuseLLM's own code (arXiv 2401.10491, Apache-2.0) as they stand there; for fusellm.py and bench/rivals.

DIRECTORY is the folder FuseLLM of a checkout of the authors' FuseAI repository on GitHub (fanqiwan/FuseAI).
Packages that its files import and these functions do not use are replaced by empty ones: numpy and editdistance are
enough, and PyTorch for the data collator. The tokenizer classes by which the code tells its three models apart become
LlamaTokenizer and GPTNeoXTokenizerFast of here, which stand for any vocabulary with the space mark of each.
"""

import ast
import importlib.machinery
import sys
import types
from pathlib import Path

import editdistance


class VocabularyTokenizer:
    """A tokenizer as far as FuseLLM asks one: vocabulary (by id, which decides ties) and strings of ids."""

    def __init__(self, strings):
        self.vocabulary = {string: id for id, string in enumerate(strings) if string is not None}
        self.strings = strings

    def get_vocab(self):
        return self.vocabulary

    def convert_ids_to_tokens(self, ids):
        return [self.strings[id] for id in ids]


class LlamaTokenizer(VocabularyTokenizer):
    """Spells a space as '▁'."""


class GPTNeoXTokenizerFast(VocabularyTokenizer):
    """Spells a space as 'Ġ'."""


OF_SPACE_MARK = {"▁": LlamaTokenizer, "Ġ": GPTNeoXTokenizerFast}


class EmptyPackage(types.ModuleType):
    """Has a class of every name."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"ignore_index": -100})


def load_file(path, **packages):
    """A Python file as a module, run with these packages in place of the installed ones."""
    for name, package in packages.items():
        package.__spec__ = importlib.machinery.ModuleSpec(name, None)
    before = {name: sys.modules.get(name) for name in packages}
    sys.modules.update(packages)
    try:
        module = types.ModuleType(path.stem)
        module.__package__ = "utils"
        sys.modules[path.stem] = module
        exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
        return module
    finally:
        for name, package in before.items():
            sys.modules.pop(name) if package is None else sys.modules.update({name: package})


def transformers_package():
    package = EmptyPackage("transformers")
    package.LlamaTokenizer = LlamaTokenizer
    package.GPTNeoXTokenizerFast = GPTNeoXTokenizerFast
    package.tokenization_utils_base = EmptyPackage("transformers.tokenization_utils_base")
    return package


def alignment(directory):
    """Module with dtw and transform_step_logits."""
    return load_file(
        Path(directory) / "src" / "utils" / "others.py",
        **{
            "torch": EmptyPackage("torch"),
            "transformers": transformers_package(),
            "transformers.trainer_pt_utils": EmptyPackage("transformers.trainer_pt_utils"),
            "transformers.trainer_utils": EmptyPackage("transformers.trainer_utils"),
        },
    )


def find_best_mapping(directory):
    """The function, which stands within the main part of its file."""
    path = Path(directory) / "src" / "utils" / "vocab_mapping.py"
    [function] = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "find_best_mapping"
    ]
    names = {"editdistance": editdistance}
    exec(compile(ast.Module([function], []), str(path), "exec"), names)
    return names["find_best_mapping"]


def data_collator(directory, dtype):
    """Class DataCollatorForDistill, which computes in bfloat16, computing in another dtype instead."""
    import torch

    module = load_file(
        Path(directory) / "src" / "utils" / "data_collator.py",
        **{
            "transformers": transformers_package(),
            "transformers.tokenization_utils_base": EmptyPackage("transformers.tokenization_utils_base"),
            "transformers.utils": EmptyPackage("transformers.utils"),
            "utils": EmptyPackage("utils"),
            "utils.others": alignment(directory),
        },
    )
    other = types.ModuleType("torch")
    other.__dict__.update({**torch.__dict__, "bfloat16": dtype})
    module.torch = other
    return module.DataCollatorForDistill
