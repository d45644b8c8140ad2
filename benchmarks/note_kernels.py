"""Record which kernels the models we know launch, after a change to kernels or to what launches them.

    python -m benchmarks.note_kernels

Needs Triton and no GPU. Writes mgie_engine/model/kernels.json, from which a starting engine compiles.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from mgie_engine.checkpoints import native
from mgie_engine.config import resolve_model
from mgie_engine.install.full_size import FULL_SIZE
from mgie_engine.model.kernel_list import LIST
from mgie_engine.serving.kernel_building import launches


def main() -> None:
    """Note the launches of MGIE-7B's sizes and of mgie-mini's."""
    torch.cuda.is_available = lambda: True  # kernels are noted, none is run
    mini = native.read_model(resolve_model("mgie-mini"))
    notes = [launches(config, mini.tokenizer) for config in (FULL_SIZE, mini.config)]
    lines = sorted({json.dumps(note, sort_keys=True) for found in notes for note in found})
    LIST.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
