"""Golden GGUF files, and what transformers and sentencepiece make of them.

Run: python test/oracle/gguf_models.py   (torch 2.13, transformers 5, gguf, safetensors, sentencepiece, tokenizers)
Writes to test/golden-gguf:
  NAME.gguf: small random models under llama.cpp's names and in its order of rows, written by the gguf package
  expected.safetensors: input_ids [T]; NAME.logits [T, V / STEP]. Of llama and qwen2 they come from transformers' own reading
    of the file; it does not read the others, or not all of them, and theirs come from the model that was written, in
    llama.cpp's form as its converter makes it (its folder conversion/).
  tokens.json: texts, and their ids by NAME: of llama from sentencepiece, of the others from transformers' tokenizers
    of these models; splits: the patterns that transformers has for tokenizer.ggml.pre
"""

import io
import json
import math
import unicodedata
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Kind
from gguf.quants import quantize
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS
from transformers.models.gpt2.tokenization_gpt2 import GPT2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

REPOSITORY = Path(__file__).parent.parent.parent
GOLDEN = REPOSITORY / "test" / "golden-gguf"
TEXTS = [
    "", " ", "   ", "\n", " \n\n x\t\ty ", "The ship came home before the winter storms, and nobody knew why.",
    "It's WE'LL they've I'm", "0 12 345 6789 3.14159 1,000,000", "def f(x):\n    return x  # comment\n\n\n",
    "naïve café Zoë ﬁ ß İ", "cafe\u0301 ä o\u0308", "Привет, как дела?", "你好，世界！今天", "مرحبا ١٢٣", "नमस्ते", "한국어",
    "😀 👩‍👩‍👧 🏳️‍🌈 ☕", "\x00\x01\x7f\u00a0\u3000\u200b", "a▁b ▁ ▁▁", "<0x0A> [PAD7]", "trailing  ", "  two  in  front",
]
LENGTH = 14
# Logits of every so many ids are kept.
STEP = 6


def corpus() -> list[str]:
    """Text of our own: the held-out files of the zoo."""
    return "".join(file.read_text() for file in sorted((REPOSITORY / "examples/zoo/held-out").glob("*.txt")))[:60000].split("\n")


def sentencepiece_vocabulary() -> dict:
    """As Llama's: BPE with byte fallback, nothing normalised, a space in front."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=model, model_type="bpe", vocab_size=400, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.99, num_threads=1,
        split_digits=True, user_defined_symbols=[], max_sentence_length=20000,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    kinds = []
    for i in range(len(processor)):
        kinds.append(2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1)
    pieces = [processor.id_to_piece(i) for i in range(len(processor))]
    return dict(
        model="llama", tokens=pieces, types=kinds, scores=[processor.get_score(i) for i in range(len(processor))],
        special=dict(bos=1, eos=2, unk=0), ids=[[1, *processor.encode(text)] for text in TEXTS],
    )


def byte_level_vocabulary(pre: str, split: str, specials: list[str], tokenizer_class) -> dict:
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(split), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    trained.train_from_iterator(corpus(), trainer)
    state = json.loads(trained.to_str())["model"]
    vocab, merges = state["vocab"], [tuple(merge) for merge in state["merges"]]
    tokens = [token for token, _ in sorted(vocab.items(), key=lambda item: item[1])] + specials
    reference = tokenizer_class(vocab={**vocab, **{s: len(vocab) + i for i, s in enumerate(specials)}}, merges=merges,
                                bos_token=None, eos_token=specials[0], unk_token=None)
    reference.add_special_tokens({"additional_special_tokens": specials})
    return dict(
        model="gpt2", pre=pre, tokens=tokens, types=[1] * len(vocab) + [3] * len(specials),
        merges=[" ".join(merge) for merge in merges], special=dict(eos=len(vocab), pad=len(vocab)),
        ids=[reference(text)["input_ids"] for text in TEXTS],
    )


def add_vocabulary(writer, vocabulary: dict, rows: int):
    tokens, types = list(vocabulary["tokens"]), list(vocabulary["types"])
    for i in range(len(tokens), rows):
        tokens.append(f"[PAD{i}]")
        types.append(5)
    writer.add_tokenizer_model(vocabulary["model"])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if "pre" in vocabulary:
        writer.add_tokenizer_pre(vocabulary["pre"])
        writer.add_token_merges(vocabulary["merges"])
    else:
        writer.add_token_scores(vocabulary["scores"])
    for name, value in vocabulary["special"].items():
        getattr(writer, f"add_{name}_token_id")(value)
    if "bos" in vocabulary["special"]:
        writer.add_add_bos_token(True)
    writer.add_chat_template("{{ messages }}")


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """LlamaModel.permute of llama.cpp's converter."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write(name: str, arch: str, model, vocabulary: dict, kinds: dict, change=lambda key, value: value, extra=lambda writer: None, more={}):
    config = model.config
    writer = gguf.GGUFWriter(GOLDEN / f"{name}.gguf", arch)
    get = lambda *names: next(getattr(config, n) for n in names if hasattr(config, n))
    writer.add_block_count(get("num_hidden_layers", "n_layer", "n_layers"))
    writer.add_context_length(get("max_position_embeddings", "max_seq_len", "n_positions"))
    writer.add_embedding_length(get("hidden_size", "d_model", "n_embd"))
    writer.add_head_count(get("num_attention_heads", "n_heads", "n_head"))
    extra(writer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[arch.upper()], get("num_hidden_layers", "n_layer", "n_layers"))
    tied = config.tie_word_embeddings
    add_vocabulary(writer, vocabulary, model.get_input_embeddings().weight.shape[0])
    for stored, value in more.items():
        writer.add_tensor(stored, np.ascontiguousarray(value, dtype=np.float32))
    for key, value in model.state_dict().items():
        if "layernorm.norms" in key:
            continue
        if tied and key in ("lm_head.weight", "embed_out.weight"):
            continue
        stem, suffix = key.rsplit(".", 1)
        stored = names.get_name(stem)
        assert stored is not None, key
        value = np.ascontiguousarray(change(key, value.float().numpy()))
        part = stored.split(".")[-1]
        kind = kinds.get(part, Kind.F32) if value.ndim > 1 else Kind.F32
        writer.add_tensor(f"{stored}.{suffix}", quantize(value, kind), raw_dtype=kind)
    if name == "llama-stretched":
        writer.add_tensor("rope_freqs.weight", stretching(config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stretching(config) -> np.ndarray:
    """generate_extra_tensors of llama.cpp's converter: 1 / frequency's share that is left."""
    plain = 1 / config.rope_parameters["rope_theta"] ** (torch.arange(0, config.head_dim, 2).float() / config.head_dim)
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    return (plain / scaled).numpy().astype(np.float32)


def random_model(**config):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=torch.float32).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) * (0.3 if "norm" in key or "ln_" in key or "bias" in key else 0.12))
            if ("norm" in key or "ln_" in key) and key.endswith("weight"):
                weight.add_(1)
    return model


def later_families(gpt, half, keep, rounded):
    sizes = dict(num_hidden_layers=1, max_position_embeddings=64, hidden_size=16, intermediate_size=24, vocab_size=335, pad_token_id=None)
    some = dict(num_attention_heads=2, num_key_value_heads=1)

    def keys(writer, c, lengths=False, rms=True, rotated=None):
        writer.add_feed_forward_length(c.intermediate_size)
        writer.add_head_count_kv(c.num_key_value_heads)
        if rms:
            writer.add_layer_norm_rms_eps(c.rms_norm_eps)
        if lengths:
            writer.add_key_length(c.head_dim)
            writer.add_value_length(c.head_dim)
        if rotated:
            writer.add_rope_dimension_count(rotated)

    def plus_one(key, value):
        return value + 1 if key.endswith("norm.weight") else value

    def pairs(config):
        def change(key, value):
            if ".q_proj." in key:
                return permuted(value, config.num_attention_heads)
            return permuted(value, config.num_key_value_heads) if ".k_proj." in key else value
        return change

    def export(name, arch, extra, change=lambda config: lambda key, value: value, more=lambda model: {}, **config):
        model = rounded(random_model(**{**sizes, **some, **config}))
        write(name, arch, model, gpt, half, change(model.config), lambda writer: extra(writer, model.config), more(model))
        keep(name, model)

    gemma_order = lambda config: plus_one
    export("gemma", "gemma", lambda w, c: keys(w, c, lengths=True), gemma_order, model_type="gemma", head_dim=12)

    def gemma2(w, c):
        keys(w, c, lengths=True)
        w.add_attn_logit_softcapping(c.attn_logit_softcapping)
        w.add_final_logit_softcapping(c.final_logit_softcapping)
        w.add_sliding_window(c.sliding_window)
    export(
        "gemma2", "gemma2", gemma2, gemma_order, model_type="gemma2", head_dim=12, num_hidden_layers=2, query_pre_attn_scalar=12,
        sliding_window=4, attn_logit_softcapping=0.75, final_logit_softcapping=1.5,
    )

    def gemma3(w, c):
        keys(w, c, lengths=True)
        w.add_rope_freq_base(1000.0)
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        w.add_rope_scaling_factor(8.0)
        w.add_sliding_window(c.sliding_window)
    export(
        "gemma3", "gemma3", gemma3, gemma_order, model_type="gemma3_text", head_dim=12, num_hidden_layers=6, query_pre_attn_scalar=12,
        hidden_size=8, intermediate_size=8, sliding_window=4, sliding_window_pattern=6,
        rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000.0),
            sliding_attention=dict(rope_type="default", rope_theta=10000.0),
        ),
    )

    def phi3(w, c):
        keys(w, c, rotated=6)
        w.add_rope_freq_base(10000.0)
        w.add_rope_scaling_orig_ctx_len(64)
        w.add_sliding_window(5)
        w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(8) / math.log(64)))
    factors = dict(short_factor=[1.0, 1.25, 2.0], long_factor=[2.0, 4.0, 8.0])
    export(
        "phi3", "phi3", phi3, model_type="phi3", partial_rotary_factor=0.75, max_position_embeddings=512, sliding_window=5,
        original_max_position_embeddings=64, tie_word_embeddings=False, rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, **factors),
        more=lambda model: {f"rope_factors_{kind}.weight": np.array(factors[f"{kind}_factor"]) for kind in ("long", "short")},
    )

    def olmo2(w, c):
        keys(w, c)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    export("olmo2", "olmo2", olmo2, model_type="olmo2", tie_word_embeddings=False, rope_theta=500000.0)

    def smollm3(w, c):
        keys(w, c, rotated=8)
        w.add_vocab_size(c.vocab_size)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    export("smollm3", "smollm3", smollm3, pairs, model_type="smollm3", num_hidden_layers=4, intermediate_size=8)

    def granite(w, c):
        keys(w, c, rotated=8)
        w.add_vocab_size(c.vocab_size)
        w.add_rope_freq_base(10000.0)
        w.add_attention_scale(c.attention_multiplier)
        w.add_embedding_scale(c.embedding_multiplier)
        w.add_residual_scale(c.residual_multiplier)
        w.add_logit_scale(c.logits_scaling)
    export(
        "granite", "granite", granite, pairs, model_type="granite", tie_word_embeddings=True, embedding_multiplier=3.0,
        residual_multiplier=0.22, attention_multiplier=0.25, logits_scaling=4.0,
    )

    def starcoder2(w, c):
        keys(w, c, rms=False)
        w.add_layer_norm_eps(c.norm_epsilon)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    export("starcoder2", "starcoder2", starcoder2, model_type="starcoder2", rope_theta=999999.0, norm_epsilon=1e-3)

    def stablelm(w, c):
        keys(w, c, rms=False, rotated=4)
        w.add_rope_freq_base(10000.0)
        w.add_parallel_residual(True)
        w.add_layer_norm_eps(c.layer_norm_eps)
    def norms(model):
        # The converter stacks those of all heads.
        attention = model.model.layers[0].self_attn
        kinds = {"q": attention.q_layernorm, "k": attention.k_layernorm}
        return {f"blk.0.attn_{k}_norm.weight": np.stack([n.weight.detach().numpy() for n in v.norms]) for k, v in kinds.items()}
    export(
        "stablelm", "stablelm", stablelm, model_type="stablelm", partial_rotary_factor=0.5, use_parallel_residual=True, qk_layernorm=True,
        use_qkv_bias=True, more=norms,
    )

    def falcon(w, c):
        w.add_tensor_data_layout("jploski")
        w.add_feed_forward_length(c.ffn_hidden_size)
        w.add_head_count_kv(c.num_kv_heads if c.new_decoder_architecture else 1)
        w.add_layer_norm_eps(c.layer_norm_epsilon)
    def groups(config):
        # FalconModel.modify_tensors of llama.cpp's converter.
        heads, shared = config.num_attention_heads, config.num_kv_heads if config.new_decoder_architecture else 1
        def change(key, value):
            if "query_key_value" not in key:
                return value
            grouped = value.reshape(shared, heads // shared + 2, config.hidden_size // heads, -1)
            parts = grouped[:, :-2], grouped[:, -2:-1], grouped[:, -1:]
            return np.concatenate([part.reshape(-1, value.shape[1]) for part in parts])
        return change
    grouped = dict(num_attention_heads=4, num_kv_heads=2, new_decoder_architecture=True)
    export("falcon", "falcon", falcon, groups, model_type="falcon")
    export("falcon-grouped", "falcon", falcon, groups, model_type="falcon", **grouped)
    export(
        "falcon-one-norm", "falcon", falcon, groups, model_type="falcon", num_ln_in_parallel_attn=1, tie_word_embeddings=False, **grouped,
    )


def main():
    GOLDEN.mkdir(exist_ok=True)
    ids = torch.randint(0, 300, (LENGTH,), generator=torch.Generator().manual_seed(0))
    expected, tokens = {"input_ids": ids.to(torch.int32)}, {}
    mixed = dict(
        attn_q=Kind.Q8_0, attn_k=Kind.Q4_0, attn_v=Kind.Q5_0, attn_output=Kind.Q4_1, ffn_gate=Kind.Q5_1, ffn_up=Kind.F16,
        ffn_down=Kind.BF16, token_embd=Kind.Q8_0, output=Kind.Q4_0,
    )
    small = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, max_position_embeddings=96)

    spm = sentencepiece_vocabulary()
    qwen = byte_level_vocabulary("qwen2", PRETOKENIZE_REGEX, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], Qwen2Tokenizer)
    gpt = byte_level_vocabulary("gpt-2", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", ["<|endoftext|>"], GPT2Tokenizer)
    tokens.update(llama=spm["ids"], qwen2=qwen["ids"], gpt2=gpt["ids"])

    def llama_order(config):
        def change(key, value):
            if ".q_proj." in key:
                return permuted(value, config.num_attention_heads)
            return permuted(value, config.num_key_value_heads) if ".k_proj." in key else value
        return change

    def llama_keys(model):
        def extra(writer):
            c = model.config
            writer.add_feed_forward_length(c.intermediate_size)
            writer.add_head_count_kv(c.num_key_value_heads)
            writer.add_layer_norm_rms_eps(c.rms_norm_eps)
            writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
            if model.config.model_type == "llama":
                writer.add_vocab_size(c.vocab_size)
                writer.add_rope_dimension_count(c.head_dim)
            if model.config.model_type == "qwen3":
                writer.add_key_length(c.head_dim)
                writer.add_value_length(c.head_dim)
        return extra

    model = random_model(model_type="llama", vocab_size=len(spm["tokens"]), num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False, rms_norm_eps=1e-5, **small)
    write("llama", "llama", model, spm, mixed, llama_order(model.config), llama_keys(model))
    model = random_model(model_type="qwen2", vocab_size=len(qwen["tokens"]) + 3, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, **small)
    write("qwen2", "qwen2", model, qwen, mixed, extra=llama_keys(model))

    little = dict(num_hidden_layers=1, max_position_embeddings=64, hidden_size=16, intermediate_size=24, vocab_size=335)
    half = dict(token_embd=Kind.F16)
    def keep(name, model):
        expected[f"{name}.logits"] = model(ids[None]).logits[0, :, ::STEP].detach().contiguous()

    def rounded(model):
        """The embeddings as float16 holds them, as they are written."""
        embedding = model.get_input_embeddings().weight.data
        embedding.copy_(embedding.half().float())
        return model

    model = rounded(random_model(model_type="qwen3", num_attention_heads=2, num_key_value_heads=1, head_dim=12, tie_word_embeddings=True, **little))
    write("qwen3", "qwen3", model, qwen, half, extra=llama_keys(model))
    keep("qwen3", model)

    model = rounded(random_model(model_type="llama", num_attention_heads=2, num_key_value_heads=1, head_dim=32, tie_word_embeddings=True,
        attention_bias=True, rope_parameters=dict(rope_type="llama3", rope_theta=500000.0, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192), **{**little, "max_position_embeddings": 131072}))
    write("llama-stretched", "llama", model, {**qwen, "pre": "llama-bpe", "special": dict(bos=330, eos=331)}, half, llama_order(model.config), llama_keys(model))
    keep("llama-stretched", model)

    model = rounded(random_model(model_type="gpt2", vocab_size=335, n_embd=16, n_layer=1, n_head=2, n_positions=64, tie_word_embeddings=True))
    def gpt2_keys(writer):
        writer.add_feed_forward_length(64)
        writer.add_layer_norm_eps(1e-5)
    transposed = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    write("gpt2", "gpt2", model, gpt, half, lambda key, value: value.T if key.endswith(transposed) else value, gpt2_keys)
    keep("gpt2", model)

    model = rounded(random_model(model_type="gpt_neox", num_attention_heads=2, rotary_pct=0.5, tie_word_embeddings=True, use_parallel_residual=True, **little))
    def neox_keys(writer):
        c = model.config
        writer.add_feed_forward_length(c.intermediate_size)
        writer.add_layer_norm_eps(c.layer_norm_eps)
        writer.add_rope_dimension_count(4)
        writer.add_parallel_residual(True)
    def neox_order(key, value):
        if "query_key_value" not in key:
            return value
        heads = value.reshape(2, 3, 8, *value.shape[1:])
        return np.concatenate([heads[:, part].reshape(16, *value.shape[1:]) for part in range(3)])
    write("gpt_neox", "gptneox", model, {**gpt, "pre": "olmo"}, half, neox_order, neox_keys)
    keep("gpt_neox", model)

    model = rounded(random_model(model_type="mpt", vocab_size=335, d_model=16, n_layers=1, n_heads=2, max_seq_len=64, attn_config=dict(clip_qkv=0.5), tie_word_embeddings=True))
    def mpt_keys(writer):
        writer.add_feed_forward_length(64)
        writer.add_layer_norm_eps(1e-5)
        writer.add_max_alibi_bias(8.0)
        writer.add_clamp_kqv(0.5)
    write("mpt", "mpt", model, {**gpt, "pre": "mpt"}, half, extra=mpt_keys)
    keep("mpt", model)

    later_families(gpt, half, keep, rounded)

    for name in ("llama", "qwen2"):
        reading = AutoModelForCausalLM.from_pretrained(GOLDEN, gguf_file=f"{name}.gguf", dtype=torch.float32, attn_implementation="eager").eval()
        expected[f"{name}.logits"] = reading(ids[None]).logits[0, :, ::STEP].detach().contiguous()

    # transformers' tokenizer from the file: it does not normalise, and puts no second space in front of a space.
    for name in ("llama", "qwen2", "gpt2"):
        reading = AutoTokenizer.from_pretrained(GOLDEN, gguf_file=f"{name}.gguf")
        for text, own in zip(TEXTS, tokens[name]):
            if unicodedata.is_normalized("NFC", text) and not (name == "llama" and text.startswith((" ", "\u2581"))):
                if reading(text)["input_ids"] != own:
                    print("differs from transformers' reading:", name, repr(text), reading(text)["input_ids"], own)

    for file in GOLDEN.glob("*.gguf"):
        print(file.name, file.stat().st_size)
    save_file(expected, GOLDEN / "expected.safetensors")
    (GOLDEN / "tokens.json").write_text(json.dumps({"texts": TEXTS, "ids": tokens, "splits": GGUF_PRE_TOKENIZER_SPLITS}, ensure_ascii=True, separators=(",", ":")) + "\n")


main()
