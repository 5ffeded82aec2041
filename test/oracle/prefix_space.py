"""What add_prefix_space in tokenizer_config.json makes of a text in AutoTokenizer.

Run: python test/oracle/prefix_space.py   (transformers 5.24); writes test/golden-prefix-space.json, for each tokenizer of
examples/zoo, class, model_type and add_prefix_space:
  tokens: of "Hello world"
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

REPOSITORY = Path(__file__).parent.parent.parent
TEXT = "Hello world"
CASES = [
    ("orator", "GPT2Tokenizer", "gpt2"),
    ("orator", "GPT2TokenizerFast", "llama"),
    ("orator", "GPT2Tokenizer", "phi3"),
    ("orator", "GPTNeoXTokenizerFast", "gpt_neox"),
    ("orator", "GPTNeoXTokenizer", "olmo2"),
    ("orator", "PreTrainedTokenizerFast", "gpt_neox"),
    ("orator", "LlamaTokenizer", "llama"),
    ("novelist", "LlamaTokenizer", "llama"),
    ("novelist", "LlamaTokenizerFast", "llama"),
    ("novelist", "LlamaTokenizerFast", "mistral"),
    ("novelist", "PreTrainedTokenizerFast", "llama"),
]


def tokens(name, tokenizer_class, model_type, add_prefix_space):
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(REPOSITORY / "examples" / "zoo" / name / "tokenizer.json", directory)
        files = {
            "tokenizer_config.json": {"tokenizer_class": tokenizer_class, "add_prefix_space": add_prefix_space},
            "config.json": {"model_type": model_type},
        }
        for file, content in files.items():
            (Path(directory) / file).write_text(json.dumps(content))
        tokenizer = AutoTokenizer.from_pretrained(directory)
        return tokenizer.convert_ids_to_tokens(tokenizer(TEXT, add_special_tokens=False)["input_ids"])


golden = [
    {"tokenizer": name, "class": tokenizer_class, "model_type": model_type, "add_prefix_space": asked, "tokens": tokens(name, tokenizer_class, model_type, asked)}
    for name, tokenizer_class, model_type in CASES
    for asked in (True, False)
]
lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in golden)
(REPOSITORY / "test" / "golden-prefix-space.json").write_text(f"[\n{lines}\n]\n")
