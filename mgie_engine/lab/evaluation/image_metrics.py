"""How near an edit is to its goal.

Every metric takes an outcome and gives a number; where pixels are compared, the edit is first brought to the
goal's size. L1, L2, CLIP and DINO are computed as by MagicBrush's public script, so that numbers compare:
github.com/OSU-NLP-Group/MagicBrush, evaluation/image_eval.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, CLIPModel

from mgie_engine.lab.evaluation.lpips import load_lpips
from mgie_engine.lab.optional_packages import training_package
from mgie_engine.lab.pretrained import load_pretrained

BETTER = {
    "l1": "lower", "l2": "lower", "ssim": "higher", "lpips": "lower", "dino": "higher", "cvs": "higher",
    "cts": "higher", "cts_goal": "higher",
}  # fmt: skip
_CLIP_LOOKS = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_IMAGENET_LOOKS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_DINO_RESIZE, _DINO_CROP = 256, 224
_SSIM_BORDER = 5  # half a window
_REMEMBERED = 8  # pictures whose features are kept


@dataclass(frozen=True, slots=True)
class Backbones:
    """A folder or a model of the hub each; the defaults are those of MagicBrush's public script."""

    clip: str = "openai/clip-vit-base-patch32"
    dino: str = "facebook/dino-vits16"
    lpips: Path | None = None  # a file with AlexNet's weights


@dataclass(frozen=True)
class MetricInput:
    """An edit, its goal, and the goal's description ("" if there is none); pictures are RGB."""

    result: Image.Image
    goal: Image.Image
    caption: str = ""


Metric = Callable[[MetricInput], float | None]  # None where there is nothing to compare with


def metrics(names: Sequence[str], backbones: Backbones, device: str = "cpu") -> dict[str, Metric]:
    """Metrics by their names (keys of BETTER); loads what they need. EngineError if that is missing."""
    found: dict[str, Metric] = {"l1": l1, "l2": l2, "ssim": ssim}
    if {"cvs", "cts", "cts_goal"} & set(names):
        clip = Clip(backbones.clip, device)
        found |= {"cvs": clip.cvs, "cts": clip.cts, "cts_goal": clip.cts_goal}
    if "dino" in names:
        found["dino"] = dino(backbones.dino, device)
    if "ssim" in names:
        _torchmetrics_images()  # says now whether it is missing
    if "lpips" in names:
        network = load_lpips(backbones.lpips).to(device)
        found["lpips"] = lambda outcome: _number(network(*(x.to(device) for x in _pair(outcome))))
    return {name: found[name] for name in names}


def l1(outcome: MetricInput) -> float:
    """Mean absolute difference of values in 0…1."""
    return _number(F.l1_loss(*_pair(outcome)))


def l2(outcome: MetricInput) -> float:
    """Mean squared difference of values in 0…1 (MagicBrush calls this L2)."""
    return _number(F.mse_loss(*_pair(outcome)))


def ssim(outcome: MetricInput) -> float | None:
    """Structural similarity, at most 1, over the windows that lie inside (Wang et al. 2004, section III-C).

    The windows are Gaussian, 11 pixels wide; None for smaller pictures.
    """
    if min(outcome.goal.size) <= 2 * _SSIM_BORDER:
        return None
    result, goal = (pixels.double() for pixels in _pair(outcome))
    measure = _torchmetrics_images().structural_similarity_index_measure
    found = measure(result, goal, data_range=1.0, return_full_image=True)
    inside = slice(_SSIM_BORDER, -_SSIM_BORDER)
    return _number(found[1][..., inside, inside].mean())


def _torchmetrics_images() -> Any:
    return training_package("torchmetrics.functional.image")


class Clip:
    """Similarity by CLIP: of two pictures, and of a picture and a text."""

    def __init__(self, name: str, device: str) -> None:
        """Load CLIP with its tokenizer; ModelError if it is not there."""
        self._model = load_pretrained("The metric's model", CLIPModel, name).to(device).eval()
        self._tokenizer = load_pretrained("The metric's model", AutoTokenizer, name)
        self._of_picture = _remembered(self._picture_features)
        self.cvs = _similarity(self._of_picture)  # CVS, or CLIP-I

    def cts(self, outcome: MetricInput) -> float | None:
        """Cosine of the edit's features and the caption's, -1…1: CTS, or CLIP-T."""
        return self._to_text(outcome.result, outcome.caption)

    def cts_goal(self, outcome: MetricInput) -> float | None:
        """The same of the goal itself: what a perfect edit would get."""
        return self._to_text(outcome.goal, outcome.caption)

    def _to_text(self, picture: Image.Image, caption: str) -> float | None:
        return _cosine(self._of_picture(picture), self._text_features(caption)) if caption else None

    def _picture_features(self, picture: Image.Image) -> Tensor:
        side = self._model.config.vision_config.image_size
        pixels = view(picture, side, side, *_CLIP_LOOKS).to(self._model.device)
        return cast(Tensor, self._model.get_image_features(pixel_values=pixels).pooler_output)

    @torch.inference_mode()
    def _text_features(self, text: str) -> Tensor:
        longest = self._model.config.text_config.max_position_embeddings
        tokens = self._tokenizer([text], return_tensors="pt", truncation=True, max_length=longest)
        found = self._model.get_text_features(**tokens.to(self._model.device))
        return cast(Tensor, found.pooler_output)


def dino(name: str, device: str) -> Metric:
    """Cosine of the pictures' class tokens of a DINO vision transformer; ModelError if it is not there."""
    model = load_pretrained("The metric's model", AutoModel, name).to(device).eval()

    def features(picture: Image.Image) -> Tensor:
        pixels = view(picture, _DINO_RESIZE, _DINO_CROP, *_IMAGENET_LOOKS).to(device)
        return cast(Tensor, model(pixel_values=pixels).last_hidden_state[:, 0])

    return _similarity(_remembered(features))


Features = Callable[[Image.Image], Tensor]  # of an RGB picture, (1, D)


def _remembered(features: Features) -> Features:
    """Without gradients; those of the last few pictures are kept, as the metrics of an outcome share them."""

    @lru_cache(_REMEMBERED)
    @torch.inference_mode()
    def known(size: tuple[int, int], pixels: bytes) -> Tensor:
        return features(Image.frombytes("RGB", size, pixels))

    return lambda picture: known(picture.size, picture.tobytes())


def _similarity(features: Features) -> Metric:
    """The cosine of the features of edit and goal, -1…1."""
    return lambda outcome: _cosine(features(outcome.result), features(outcome.goal))


def view(picture: Image.Image, short: int, crop: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Normalised (1, 3, crop, crop): short side to `short`, bicubic, then the centre, as by torchvision."""
    width, height = picture.size
    long = int(short * max(picture.size) / min(picture.size))
    scaled = picture.resize((short, long) if width <= height else (long, short), Image.Resampling.BICUBIC)
    left, top = (round((side - crop) / 2) for side in scaled.size)
    pixels = _pixels(scaled.crop((left, top, left + crop, top + crop)))
    return (pixels - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _pair(outcome: MetricInput) -> tuple[Tensor, Tensor]:
    """Edit and goal (1, 3, H, W) in 0…1, at the goal's size."""
    result = outcome.result
    if result.size != outcome.goal.size:
        result = result.resize(outcome.goal.size, Image.Resampling.BICUBIC)
    return _pixels(result), _pixels(outcome.goal)


def _pixels(picture: Image.Image) -> Tensor:
    values = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(values).permute(2, 0, 1)[None]


def _cosine(a: Tensor, b: Tensor) -> float:
    return _number(F.cosine_similarity(a.double(), b.double()))


def _number(value: Tensor) -> float:
    return float(value.squeeze())


def mean_by_group(
    values: Sequence[tuple[Sequence[str], Mapping[str, float | None]]],
) -> dict[str, dict[str, float | None]]:
    """Means of each metric over the cases of each group, and how many cases there are ("cases").

    Cases without a value do not count; a metric that no case has is None.
    """
    groups: dict[str, list[Mapping[str, float | None]]] = {}
    for names, found in values:
        for name in names:
            groups.setdefault(name, []).append(found)
    return {name: {"cases": len(group)} | _means(group) for name, group in groups.items()}


def _means(group: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for metric in group[0]:
        known = [value for found in group if (value := found[metric]) is not None]
        means[metric] = sum(known) / len(known) if known else None
    return means
