"""FuseLLM's own alignment of two tokenizations, timed; bench/align.ts runs it.

FUSELLM_DIRECTORY is the folder FuseLLM of a checkout of the authors' code: see test/oracle/fusellm_code.py. Needs numpy
and editdistance. Reads {rounds, sourceMark, targetMark, texts: [{source, target}]}, lists of token strings, as JSON.
Writes {seconds, aligned}: the sum of each text's shortest time, and for each text the only source token that
each target token is matched with, or -1.
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "test" / "oracle"))
from fusellm_code import alignment  # noqa: E402

theirs = alignment(os.environ["FUSELLM_DIRECTORY"])
task = json.load(sys.stdin)


def distance(a, b):
    """As dist_fn, which stands within their transform_step_logits."""
    return theirs.editdistance.eval(a.replace(task["sourceMark"], ""), b.replace(task["targetMark"], ""))


seconds, aligned = 0.0, []
for text in task["texts"]:
    shortest = float("inf")
    for _ in range(task["rounds"]):
        started = time.perf_counter()
        matched = theirs.dtw(text["source"], text["target"], norm_func=distance)[3]
        shortest = min(shortest, time.perf_counter() - started)
    seconds += shortest
    aligned.append([of[0] if len(of) == 1 else -1 for of in matched])
json.dump({"seconds": seconds, "aligned": aligned}, sys.stdout)
