"""The metrics by name: which way is good, and where the networks behind them come from. Knows no torch."""

from dataclasses import dataclass
from pathlib import Path

BETTER = {
    "l1": "lower",
    "l2": "lower",
    "ssim": "higher",
    "lpips": "lower",
    "dino": "higher",
    "cvs": "higher",
    "cts": "higher",
    "cts_goal": "higher",
}


@dataclass(frozen=True, slots=True)
class Backbones:
    """A folder or a name on the hub each; the defaults are those of MagicBrush's public script."""

    clip: str = "openai/clip-vit-base-patch32"
    dino: str = "facebook/dino-vits16"
    lpips: Path | None = None  # a file with AlexNet's weights
