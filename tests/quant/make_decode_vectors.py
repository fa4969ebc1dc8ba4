#!/usr/bin/env python3
"""Writes decode_vectors.txt: random blocks of each format and the values that the `gguf` package
(ggml-org, MIT; pip install gguf numpy) gives for them.

    python3 tests/quant/make_decode_vectors.py > tests/quant/decode_vectors.txt

Blocks are random bytes; only the float16 scales are kept finite and of both signs. Run it again only to
add a format: the file is what the tests compare with.
"""
import sys

import gguf
import numpy as np
from gguf.quants import dequantize

rng = np.random.default_rng(20260)
# name, gguf type, byte offsets of the float16 scales in a block
FORMATS = [
    ("q8_0", "Q8_0", [0]), ("q4_0", "Q4_0", [0]), ("q4_1", "Q4_1", [0, 2]), ("q5_0", "Q5_0", [0]),
    ("q5_1", "Q5_1", [0, 2]), ("q2_k", "Q2_K", [80, 82]), ("q3_k", "Q3_K", [108]), ("q4_k", "Q4_K", [0, 2]),
    ("q5_k", "Q5_K", [0, 2]), ("q6_k", "Q6_K", [208]), ("iq4_nl", "IQ4_NL", [0]), ("iq4_xs", "IQ4_XS", [0]),
    ("bf16", "BF16", None), ("f16", "F16", None),
]

print("# Random blocks and their values (float32, hexadecimal, little-endian) by the Python package gguf", end=" ")
from importlib.metadata import version
print(f"{version('gguf')} (MIT),")
print("# made by tests/quant/make_decode_vectors.py. Each line: format, blocks, values.")
for name, kind, scales in FORMATS:
    quant = getattr(gguf.GGMLQuantizationType, kind)
    elements, size = gguf.GGML_QUANT_SIZES[quant]
    count = max(2, 64 // elements) if elements > 1 else 64
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    if scales is None:
        high = blocks[:, 1] & 0x7F
        limit = 0x7B if name == "f16" else 0x7E  # no infinities and NaN
        blocks[:, 1] = (blocks[:, 1] & 0x80) | np.minimum(high, limit)
    else:
        for at in scales:
            value = (rng.standard_normal(count) * 0.02).astype(np.float16)
            value[0] = np.float16(3e-7)  # a subnormal scale
            blocks[:, at:at + 2] = value.view(np.uint8).reshape(count, 2)
    if name == "f16":
        values = blocks.reshape(-1).view(np.float16).astype(np.float32)
    else:
        values = dequantize(blocks.reshape(1, -1), quant).astype(np.float32).reshape(-1)
    assert values.size == count * elements
    sys.stdout.write(f"{name} {blocks.tobytes().hex()} {values.astype('<f4').tobytes().hex()}\n")
