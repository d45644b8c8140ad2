"""`MGIEPipeline` with a tiny model: the calls that users of diffusers make."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from conversations.errors import PictureRefused
from mgie_engine import MGIEPipeline
from mgie_engine.checkpoints import native
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie

PICTURE = Image.new("RGB", (50, 30), "teal")


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> MGIEPipeline:
    folder = tmp_path_factory.mktemp("pipeline") / "model"
    native.save(a_tiny_mgie(), folder)
    return MGIEPipeline.from_pretrained(folder, device="cpu")


def test_an_image_and_an_instruction_give_images_with_expressive_text(pipe: MGIEPipeline):
    output = pipe(PICTURE, "make the ball red", num_inference_steps=2, guidance_scale=2.0, generator=7)
    assert [image.size for image in output.images] == [(50, 30)]
    assert output.expressive_instructions[0]
    assert (output.seeds, output.is_declined) == ([7], [False])


def test_a_generator_of_torch_and_its_seed_give_the_same_picture(pipe: MGIEPipeline):
    of_torch = pipe(PICTURE, "darker", num_inference_steps=2, generator=torch.Generator().manual_seed(7))
    of_number = pipe(PICTURE, "darker", num_inference_steps=2, generator=7)
    assert of_torch.images == of_number.images


def test_several_images_have_seeds_that_count_up(pipe: MGIEPipeline):
    output = pipe(PICTURE, "darker", num_inference_steps=1, num_images_per_prompt=3, generator=2**32 - 1)
    assert output.seeds == [2**32 - 1, 0, 1]
    assert len(output.images) == 3


def test_pictures_and_instructions_may_be_lists(pipe: MGIEPipeline):
    calls: list[tuple[Any, Any]] = [
        ([PICTURE] * 2, "a"),
        ([PICTURE] * 2, ["a", "b"]),
        (PICTURE, ["a", "b"]),
    ]
    for pictures, words in calls:
        assert len(pipe(pictures, words, num_inference_steps=1).images) == 2
    with pytest.raises(ValueError, match="2 pictures and 3 instructions"):
        pipe([PICTURE] * 2, ["a", "b", "c"])


def test_arrays_are_between_0_and_1(pipe: MGIEPipeline):
    (array,) = pipe(PICTURE, "darker", num_inference_steps=1, output_type="np").images
    assert isinstance(array, np.ndarray)
    assert array.shape == (30, 50, 3)
    assert 0 <= array.min() <= array.max() <= 1


def test_every_step_is_called_back_once(pipe: MGIEPipeline):
    steps: list[tuple[int, int]] = []
    pipe(
        PICTURE,
        "darker",
        num_inference_steps=3,
        callback_on_step_end=lambda pipe, step, of, _: steps.append((step, of)),
    )
    assert steps == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("image", "options", "error", "words"),
    [
        (np.zeros((8, 8, 3), np.uint8), {}, TypeError, "not of the type ndarray"),
        (None, {}, TypeError, "NoneType"),
        (a_picture(), {"num_images_per_prompt": 0}, ValueError, "at least 1"),
        (a_picture(), {"output_type": "latent"}, ValueError, "'pil' or 'np'"),
        ("https://example.org/a.png", {}, PictureRefused, "download the picture"),
        (a_picture()[:40], {}, PictureRefused, "damaged|cannot|hard"),
        ([a_picture(), a_picture()], {"mask_image": b"no picture"}, PictureRefused, "not|no "),
    ],
)
def test_what_is_wrong_is_said(
    pipe: MGIEPipeline, image: Any, options: Any, error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        pipe(image, "make it darker", **options)
