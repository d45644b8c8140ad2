"""A short name for the weights in a model's folder, the same on every machine that has them. No torch."""

import hashlib
from pathlib import Path

SAMPLE_BYTES, SAMPLES = 1 << 16, 64  # of each file; 16 GB are named in a fraction of a second
WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".json", ".model"})


def fingerprint(folder: Path) -> str:
    """16 hexadecimal digits made of the names, sizes and evenly spread samples of the model's files.

    Other weights of the same shape differ in every sample, so reading all of them is not worth a minute at
    each start. A damaged file may keep its fingerprint.
    """
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.suffix in WEIGHTS and path.is_file()):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as opened:
            for place in range(SAMPLES):
                opened.seek(max(0, size - SAMPLE_BYTES) * place // (SAMPLES - 1))
                digest.update(opened.read(SAMPLE_BYTES))
    return digest.hexdigest()[:16]
