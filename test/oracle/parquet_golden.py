"""Writes test/golden-parquet: the same rows in each of parquet's compressions and layouts, and as .jsonl.zst.

Needs zstd and pyarrow (written with 26). Run from the root of the repository: python test/oracle/parquet_golden.py
"""

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

folder = Path("test/golden-parquet")
folder.mkdir(exist_ok=True)
texts = [
    "Call me Ishmael.",
    "naïve 東京 😀",
    "line\u2028separator\r\nnext",
    "Call me Ishmael.",
    "the sea " * 50,
    " trailing spaces  ",
    "a\u0000b",
]
table = pa.table(
    {
        "id": pa.array(range(len(texts)), pa.int64()),
        "text": pa.array(texts, pa.string()),
        "tags": pa.array([["x", "y"]] * len(texts), pa.list_(pa.string())),
    }
)
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    pq.write_table(table, folder / f"{codec}.parquet", compression=codec, row_group_size=3)
pq.write_table(
    table, folder / "version-2.parquet", compression="zstd", row_group_size=4, data_page_version="2.0", use_dictionary=False
)
large = table.set_column(1, "text", table["text"].cast(pa.large_string()))
pq.write_table(large, folder / "plain.parquet", compression="snappy", use_dictionary=False, write_page_index=True)
(folder / "texts.json").write_text(json.dumps(texts))

# Two frames of Zstandard, with a line break between the lines only.
lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
halves = ["\n".join(lines[:3]) + "\n", "\n".join(lines[3:])]
frames = [subprocess.run(["zstd"], input=half.encode(), capture_output=True, check=True).stdout for half in halves]
(folder / "frames.jsonl.zst").write_bytes(b"".join(frames))

# Rows that are no texts: null, empty, and bytes that are no UTF-8.
latin1 = pa.array(["fine".encode(), None, b"", "café".encode("latin1"), "last".encode()], pa.binary())
broken = pa.StringArray.from_buffers(5, latin1.buffers()[1], latin1.buffers()[2], latin1.buffers()[0], 1)
pq.write_table(pa.table({"text": broken}), folder / "invalid.parquet", compression="snappy")

# Conversations. Arrow gives every struct of a column all keys that one of them has, null where it has them not.
call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rīga"}}}
tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
conversations = [
    {"messages": [{"role": "user", "content": "naïve 東京 😀"}, {"role": "assistant", "content": "Yes."}], "tools": None},
    {
        "messages": [
            {"role": "user", "content": "Rain?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "8 °C", "tool_call_id": 7},
            {"role": "assistant", "content": ""},
        ],
        "tools": json.dumps(tools),
    },
    {"messages": None, "tools": None},
    {"messages": [], "tools": None},
    {"messages": [{"role": "user", "content": "Again?"}, {"role": "assistant", "content": "Yes."}], "tools": None},
]
pq.write_table(pa.Table.from_pylist(conversations), folder / "messages.parquet", compression="zstd", row_group_size=3)
completed = [
    {"prompt": [{"role": "user", "content": f"Who is {i}?"}], "completion": [{"role": "assistant", "content": f"I, {i}."}], "label": i}
    for i in range(3)
]
pq.write_table(pa.Table.from_pylist(completed), folder / "prompt.parquet", compression="snappy")
