"""The log of a run: lines of JSON, and TensorBoard's files if TensorBoard is installed."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

log = logging.getLogger(__name__)


class TrainingLog:
    """Writes DIR/STAGE.jsonl, and DIR/tensorboard/STAGE; nothing at all unless `shown`."""

    def __init__(self, folder: Path, stage: str, *, shown: bool = True) -> None:
        self.file, self.shown, self.stage = folder / f"{stage}.jsonl", shown, stage
        if shown:
            folder.mkdir(parents=True, exist_ok=True)
        self._board = _board(folder / "tensorboard" / stage) if shown else None

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """One point on every curve."""
        if not self.shown:
            return
        record = {"step": step} | {name: float(f"{value:.6g}") for name, value in values.items()}
        log.info("%s %s", self.stage, json.dumps(record))
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, picture: Image.Image) -> None:
        """A picture beside the curves, for TensorBoard only."""
        if self._board:
            self._board.add_image(name, np.asarray(picture), step, dataformats="HWC")

    def forget_after(self, step: int) -> None:
        """Drop entries after a step, before the step is repeated."""
        if not self.shown or not self.file.is_file():
            return
        lines = self.file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        self.file.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _board(folder: Path) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder)
