"""Bytes that FuseLLM's Arrow columns take for the same top-k distributions; bench/mesh.ts runs it.

FuseLLM keeps what a model says in a Hugging Face dataset: for every token the list of its candidates' logits (float16)
and that of their ids (int64), beside input_ids, labels and attention_mask. It pads texts to the model's longest
first, which is left out here. Needs pyarrow. Reads {topK, texts: [{ids, candidateIds, logProbabilities}]} as JSON,
the last two [tokens * topK]. Writes {ipc, parquet}: bytes of an Arrow IPC stream, which is what a dataset on disk is,
and of a Parquet file.
"""

import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as parquet

task = json.load(sys.stdin)
k, texts = task["topK"], task["texts"]
lengths = [len(text["ids"]) for text in texts]


def offsets(lengths):
    sums = [0]
    for length in lengths:
        sums.append(sums[-1] + length)
    return pa.array(sums, pa.int32())


def column(values):
    """Of one value a token."""
    return pa.ListArray.from_arrays(offsets(lengths), values)


def per_step(values):
    """Of k values a token."""
    return column(pa.ListArray.from_arrays(offsets([k] * sum(lengths)), values))


def flat(name, kind):
    return pa.array([value for text in texts for value in text[name]], kind)


ids = flat("ids", pa.int32())
table = pa.table(
    {
        "input_ids": column(ids),
        "attention_mask": column(pa.array([1] * len(ids), pa.int8())),
        "labels": column(ids.cast(pa.int64())),
        "per_step_logits": per_step(flat("logProbabilities", pa.float32()).cast(pa.float16())),
        "per_step_indices": per_step(flat("candidateIds", pa.int64())),
    }
)
ipc = io.BytesIO()
with pa.ipc.new_stream(ipc, table.schema) as writer:
    writer.write_table(table)
packed = io.BytesIO()
parquet.write_table(table, packed)
json.dump({"ipc": ipc.tell(), "parquet": packed.tell()}, sys.stdout)
