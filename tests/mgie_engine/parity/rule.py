"""The rule that makes every weight and input of the golden files from its name alone."""

import math
import zlib

import numpy as np


def normal(key, shape):
    """Standard normals in fp64; Philox keyed by the CRC-32 of the key's UTF-8 bytes."""
    generator = np.random.Generator(np.random.Philox(key=zlib.crc32(key.encode())))
    return generator.standard_normal(size=tuple(shape))


def param(name, shape):
    """The fp32 weight called `name` in the published code."""
    n = normal(name, shape)
    if len(shape) == 1:
        weight = 1.0 + 0.05 * n if name.endswith(".weight") else 0.05 * n
    elif name.endswith(("embed_tokens.weight", "position_embedding.weight", "query")):
        weight = 0.5 * n
    else:
        weight = n / math.sqrt(np.prod(shape[1:]))
    return weight.astype(np.float32)


def pattern(w, h, a=3, b=5, d=7):
    """A uint8 RGB test picture (h, w, 3) by integer arithmetic alone."""
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    checks = ((x // 9 + y // 11) % 2) * 64
    return np.stack([(x * a + y * b + c * 37 + (x * y) // d + checks) % 256 for c in range(3)], -1).astype(
        np.uint8
    )
