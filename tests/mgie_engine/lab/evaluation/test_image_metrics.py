"""Metrics against the libraries they are compared with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional import mean_absolute_error, mean_squared_error
from transformers import CLIPModel, ViTModel

from mgie_engine.errors import ModelError
from mgie_engine.lab.evaluation.image_metrics import (
    Backbones,
    MetricInput,
    l1,
    l2,
    mean_by_group,
    metrics,
    ssim,
    view,
)
from tests.support import tiny_evaluation

HALF = (0.5, 0.5, 0.5)


def fixed(key: int, width: int = 48, height: int = 40) -> Image.Image:
    """Always the same busy picture."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [(x * 5 + y * key) % 256, (x * key + y * 7) % 256, (x * y + key * 31) % 256]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def brighter(picture: Image.Image, by: int) -> Image.Image:
    return picture.point(lambda value: min(255, value + by))


def tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture, dtype=np.float64) / 255)


NEAR = MetricInput(fixed(3), brighter(fixed(3), 20), "a blue ball")
FAR = MetricInput(fixed(3), fixed(4), "a red ball")


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Backbones:
    folder = tmp_path_factory.mktemp("backbones")
    clip, dino = tiny_evaluation.clip_folder(folder / "clip"), tiny_evaluation.dino_folder(folder / "dino")
    return Backbones(str(clip), str(dino))


@pytest.mark.parametrize("outcome", [NEAR, FAR])
def test_l1_and_l2_are_torchmetrics(outcome: MetricInput):
    result, goal = tensor(outcome.result), tensor(outcome.goal)
    assert l1(outcome) == pytest.approx(float(mean_absolute_error(result, goal)), rel=1e-6)
    assert l2(outcome) == pytest.approx(float(mean_squared_error(result, goal)), rel=1e-6)


@pytest.mark.parametrize(("outcome", "expected"), [(FAR, 0.5335068528818859), (NEAR, 0.9814212359395137)])
def test_ssim_is_scikit_images(outcome: MetricInput, expected: float):
    # structural_similarity of scikit-image 0.26 with gaussian_weights, sigma 1.5, use_sample_covariance=False
    assert ssim(outcome) == pytest.approx(expected, abs=1e-7)


def test_a_picture_without_room_for_a_window_has_no_ssim():
    assert ssim(MetricInput(fixed(3, 10, 40), fixed(4, 10, 40))) is None


def test_an_edit_of_another_size_is_brought_to_the_goals():
    large = fixed(3).resize((96, 80), Image.Resampling.NEAREST)
    small = large.resize((48, 40), Image.Resampling.BICUBIC)
    assert l1(MetricInput(large, fixed(4))) == l1(MetricInput(small, fixed(4)))


def test_clip_similarities_are_transformers(backbones: Backbones):
    found = metrics(["cvs", "cts", "cts_goal"], backbones)
    model = CLIPModel.from_pretrained(backbones.clip).eval()
    tokens = tiny_evaluation.tokenizer()([FAR.caption], return_tensors="pt")
    looks = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
    pixels = torch.cat([view(picture, 32, 32, *looks) for picture in (FAR.result, FAR.goal)])
    with torch.no_grad():
        output = model(pixel_values=pixels, **tokens)
    to_text = (output.logits_per_image / model.logit_scale.detach().exp())[:, 0].tolist()
    assert [found["cts"](FAR), found["cts_goal"](FAR)] == pytest.approx(to_text, abs=1e-6)
    alike = float(output.image_embeds[0] @ output.image_embeds[1])
    assert found["cvs"](FAR) == pytest.approx(alike, abs=1e-6)


def test_dino_is_the_cosine_of_class_tokens(backbones: Backbones):
    model = ViTModel.from_pretrained(backbones.dino, add_pooling_layer=False).eval()
    looks = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    pixels = torch.cat([view(picture, 256, 224, *looks) for picture in (FAR.result, FAR.goal)])
    with torch.inference_mode():
        a, b = model(pixel_values=pixels).last_hidden_state[:, 0].numpy().astype(np.float64)
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert metrics(["dino"], backbones)["dino"](FAR) == pytest.approx(float(expected), abs=1e-6)


def test_nothing_is_nearer_than_the_goal_itself(backbones: Backbones):
    same = MetricInput(fixed(3), fixed(3))
    found = {
        name: metric(same) for name, metric in metrics(["l1", "l2", "ssim", "dino", "cvs"], backbones).items()
    }
    assert found == pytest.approx({"l1": 0, "l2": 0, "ssim": 1, "dino": 1, "cvs": 1})


def test_without_a_caption_there_is_nothing_to_compare(backbones: Backbones):
    assert metrics(["cts"], backbones)["cts"](MetricInput(fixed(3), fixed(4))) is None


def test_a_caption_may_be_long(backbones: Backbones):
    value = metrics(["cts"], backbones)["cts"](MetricInput(fixed(3), fixed(4), "a red ball " * 40))
    assert value is not None
    assert -1 <= value <= 1


def test_the_view_is_the_centre_at_the_short_sides_scale():
    pixels = view(fixed(3, 90, 60), 30, 20, HALF, HALF)
    centre = fixed(3, 90, 60).resize((45, 30), Image.Resampling.BICUBIC).crop((12, 5, 32, 25))
    assert torch.equal(pixels[0].permute(1, 2, 0), (tensor(centre).float() - 0.5) / 0.5)


def test_missing_networks_are_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"The metric's model .* cannot be loaded"):
        metrics(["cvs"], Backbones(clip=str(tmp_path)))


def test_means_are_by_group_over_what_is_known():
    rows: list[tuple[tuple[str, ...], dict[str, float | None]]] = [
        (("a", "b"), {"x": 1.0, "y": None}),
        (("b",), {"x": 3.0, "y": None}),
        (("b",), {"x": None, "y": None}),
    ]
    assert mean_by_group(rows) == {
        "a": {"cases": 1, "x": 1.0, "y": None},
        "b": {"cases": 3, "x": 2.0, "y": None},
    }
