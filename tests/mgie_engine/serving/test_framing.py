"""Pictures that are not square, squeezed, cropped and in their own aspect."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mgie_engine import Editor
from mgie_engine.checkpoints import native
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import ModelError
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.engine import Engine, edit_with
from mgie_engine.serving.framing import Framing, aspect_size, view
from mgie_engine.serving.masks import mask_png
from mgie_engine.serving.pictures import open_picture, to_png
from tests.support.fakes import some_settings
from tests.support.tiny_serving import a_tiny_mgie


@pytest.fixture(scope="module")
def model() -> MGIE:
    return a_tiny_mgie()


def noise(width, height):
    levels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(levels)


def request(picture, **changes):
    settings = replace(some_settings(steps=2), keep="off")
    return replace(EditRequest(to_png(picture), "make the ball red", settings), **changes)


def edited(model, picture, framing, **changes):
    with Engine(model, framing=framing) as engine:
        return edit_with(engine, request(picture, **changes), lambda progress: None)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((512, 512), (512, 512)),
        ((1920, 1080), (704, 384)),
        ((1080, 1920), (384, 704)),
        ((4000, 3000), (576, 448)),
        ((9000, 90), (704, 384)),
    ],
)
def test_an_aspect_has_about_the_pixels_of_the_square(size, shown):
    assert aspect_size(size, 512, 64) == shown
    assert abs(shown[0] * shown[1] / 512**2 - 1) < 0.05


def test_a_crop_shows_the_centre_and_says_where_it_was(model):
    side = model.config.picture_size
    picture = noise(3 * side, side)
    found = view(picture, model.config, Framing.CROP)
    assert found.box == (side, 0, 2 * side, side)
    assert found.shown.tobytes() == picture.crop(found.box).tobytes()
    assert view(noise(side, side), model.config, Framing.CROP).box is None


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("size", [(90, 40), (40, 90), (33, 33), (1, 7)])
def test_every_framing_gives_the_size_of_the_picture(model, framing, size):
    result = edited(model, noise(*size), framing)
    assert open_picture(result.image).size == result.size == size


def test_squares_are_the_same_in_every_framing(model):
    picture = noise(60, 60)
    assert len({edited(model, picture, framing).image for framing in Framing}) == 1


def test_what_is_cropped_away_stays_to_the_byte(model):
    picture = noise(90, 40)
    result = edited(model, picture, Framing.CROP)
    before, after = np.asarray(picture), np.asarray(open_picture(result.image))
    assert np.array_equal(after[:, :25], before[:, :25])
    assert np.array_equal(after[:, 65:], before[:, 65:])
    assert result.changed == pytest.approx((after != before).any(2).mean())
    assert result.changed > 0.3


def test_the_aspect_is_painted_with_latents_of_its_own_shape(model):
    with Engine(model, framing=Framing.ASPECT) as engine:
        engine.admit(0, request(noise(90, 40)))
        engine.admit(1, request(noise(40, 90)))
        engine.admit(2, request(noise(40, 90)))
        shapes, results = set(), {}
        while engine.busy:
            for key, news in engine.step():
                assert not isinstance(news, Exception), news
                if isinstance(news, EditResult):
                    results[key] = news
            paintings = [slot.painting for slot in engine._slots.values() if slot.painting]
            shapes |= {tuple(painting.latents.shape[1:]) for painting in paintings}
    assert len(shapes) == 2
    assert {key: result.size for key, result in results.items()} == {0: (90, 40), 1: (40, 90), 2: (40, 90)}


@pytest.mark.parametrize("framing", Framing)
def test_a_mask_holds_in_every_framing(model, framing):
    picture, marked = noise(90, 40), Image.new("L", (90, 40))
    marked.paste(255, (10, 5, 50, 30))
    after = open_picture(edited(model, picture, framing, mask=mask_png(marked)).image)
    outside = np.asarray(marked) == 0
    assert np.array_equal(np.asarray(after)[outside], np.asarray(picture)[outside])
    assert not np.array_equal(np.asarray(after), np.asarray(picture))


def test_an_editor_takes_a_framing_by_its_name(model, tmp_path):
    native.save(model, tmp_path / "model")
    with Editor(tmp_path / "model", device="cpu", framing="aspect") as editor:
        assert editor.edit(noise(90, 40), "red", steps=2).size == (90, 40)
    with pytest.raises(ModelError, match="There is no framing 'wide'; there is auto, squeeze, crop, aspect"):
        Editor(tmp_path / "model", device="cpu", framing="wide")
