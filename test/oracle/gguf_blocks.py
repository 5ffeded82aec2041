"""Golden values of ggml's blocks, from the gguf package.

Run: python test/oracle/gguf_blocks.py   (gguf, numpy, safetensors)
Writes test/golden-gguf/blocks.safetensors, for each kind:
  KIND.blocks [bytes]: blocks of random bytes, their float16 scales replaced by ordinary ones and by extremes (the
    largest, the smallest, both zeros), and blocks whose bytes are all 0 or all 255
  KIND.values [values]: what gguf.quants.dequantize makes of them, float32
"""

from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from safetensors.numpy import save_file

# Where the float16 of a block stand.
HALVES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
EXTREMES = np.array([65504, -65504, 6e-8, -6e-8, 6.1e-5, 0.0, -0.0], np.float16)
ORDINARY = 5


def main():
    random = np.random.default_rng(0)
    golden = {}
    for kind, places in HALVES.items():
        kind_type = GGMLQuantizationType[kind]
        _, size = GGML_QUANT_SIZES[kind_type]
        count = ORDINARY + 2 * len(EXTREMES)
        blocks = random.integers(0, 256, (count, size), np.uint8)
        blocks[-2], blocks[-1] = 0, 255
        for i, place in enumerate(places):
            halves = random.normal(0, 0.02, count).astype(np.float16)
            extremes = count - ORDINARY
            halves[ORDINARY:] = EXTREMES[np.arange(extremes) * (1 + 2 * i) % len(EXTREMES)]
            blocks[:, place : place + 2] = halves.view(np.uint8).reshape(count, 2)
        golden[f"{kind}.blocks"] = blocks.ravel()
        golden[f"{kind}.values"] = dequantize(blocks, kind_type).ravel()
        assert np.isfinite(golden[f"{kind}.values"]).all(), kind
    directory = Path(__file__).parent.parent / "golden-gguf"
    directory.mkdir(exist_ok=True)
    save_file(golden, directory / "blocks.safetensors")


main()
