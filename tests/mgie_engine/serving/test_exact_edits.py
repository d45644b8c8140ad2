"""What is exact by its reading is carried out without painting, to the byte as after painting."""

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from mgie_engine.edits import Doubt, EditRequest, EditResult, Progress, Stage
from mgie_engine.restore import said_tones
from mgie_engine.serving.engine import Engine, edit_alone, edit_with
from mgie_engine.serving.framing import Framing
from mgie_engine.serving.masks import mask_png
from mgie_engine.serving.pictures import to_png
from mgie_engine.serving.postprocess import Delivered, finish, with_probe
from mgie_engine.serving.slot import open_request
from tests.mgie_engine.serving.test_engine import news_of, pictures_open, run, run_until_painting
from tests.support.fake_model import TOKENS, FakeModel
from tests.support.fakes import some_settings

THINGS = "All things stay where they are."
DARKER = f"The whole picture gets darker. {THINGS}"
READINGS = (
    DARKER,
    f"The whole picture gets much warmer and gets a little darker. {THINGS}",
    f"The whole picture turns black and white. {THINGS}",
    "The left half gets brighter. The rest stays.",
    "The greens turn purple. The rest stays.",
    "The shadows get a little brighter. The left half turns deep blue. The rest stays.",
)


@cache
def photo() -> bytes:
    return to_png(
        Image.open(Path(__file__).parents[3] / "bot/samples/hills.jpg").convert("RGB").resize((300, 200))
    )


@cache
def disc() -> bytes:
    mask = Image.new("L", (300, 200))
    ImageDraw.Draw(mask).ellipse((40, 20, 200, 150), fill=255)
    return mask_png(mask)


def ask(reading: str = DARKER, mask: bytes | None = None, **settings) -> EditRequest:
    """What the fake model reads is given."""
    request = EditRequest(photo(), "…", replace(some_settings(), **settings), reading=reading)
    return replace(request, mask=mask)


def painted_first(model: FakeModel, request: EditRequest, framing: Framing) -> Delivered:
    """The same edit where a painting, here one of noise, is made and compared before it is carried out."""
    opened = open_request(request, model.config, framing, None).read(request.reading or "")
    latents = model.encode([opened.view.shown])
    noise = torch.rand(latents.shape, generator=torch.Generator().manual_seed(3))
    reconstruction, output = model.decode(torch.cat([latents, noise]))
    painted = opened.painted(reconstruction, output, np.ones((2, 2), np.float32), model.config.name)
    return finish(with_probe(model, painted), request.settings)


@pytest.mark.parametrize("framing", [Framing.SQUEEZE, Framing.CROP])
@pytest.mark.parametrize("keep", ["auto", "strict"])
@pytest.mark.parametrize("mask", [None, disc()], ids=["all", "a region"])
@pytest.mark.parametrize("reading", READINGS)
def test_skipping_the_painting_changes_no_byte(reading, mask, keep, framing):
    assert said_tones(reading)
    request, model = ask(reading, mask, keep=keep, degree=1.0), FakeModel()
    with Engine(model, framing=framing) as engine:
        result = edit_with(engine, request, lambda _: None)
    before = painted_first(model, request, framing)
    assert model.batches == []
    assert (result.image, result.size) == (before.png, before.size)
    assert (result.changed, result.notes, result.is_exact) == (before.changed, before.notes, True)


class Writing(FakeModel):
    """Writes that everything gets darker, whatever is asked."""

    def reading(self, picture, prompt):
        return replace((yield from super().reading(picture, prompt)), expressive=DARKER)


def test_an_exact_edit_goes_from_reading_to_finishing():
    model = Writing()
    with Engine(model, clock=lambda: model.seconds) as engine:
        engine.admit(1, replace(ask(steps=20), reading=None))
        *progress, result = news_of(run(engine), 1)
    assert [(p.stage, p.step, p.steps, p.is_exact) for p in progress] == [
        (Stage.READING, 0, 20, False),
        (Stage.FINISHING, 0, 0, True),
    ]
    assert (progress[-1].expressive, progress[-1].preview) == (DARKER, None)
    assert result.seconds == {"reading": TOKENS, "painting": 0.0, "finishing": 0.0}
    assert result.settings.steps == 20


def test_a_given_exact_reading_needs_no_network():
    model = FakeModel()
    result = edit_alone(model, ask(), lambda _: None)
    assert (model.log, result.expressive, result.confidence) == ([], DARKER, None)
    edit_alone(model, ask(keep="off"), lambda _: None)
    assert model.log.count("read") == TOKENS


def test_where_the_painting_itself_is_asked_for_it_is_made():
    model = FakeModel()
    result = edit_alone(model, ask(keep="off"), lambda _: None)
    assert (len(model.batches), result.is_exact) == (some_settings().steps, False)


@pytest.mark.parametrize(
    "reading", [f"The whole picture gets softer. {THINGS}", "The sky gets darker. The rest stays."]
)
def test_what_is_not_exact_is_painted(reading):
    model = FakeModel()
    edit_alone(model, ask(reading), lambda _: None)
    assert len(model.batches) == some_settings().steps


def test_an_exact_edit_leaves_the_steps_of_others_alone():
    model = FakeModel()
    with Engine(model, clock=lambda: model.seconds) as engine:
        engine.admit(1, ask("Red.", steps=9))
        run_until_painting(engine, 1, step=2)
        engine.admit(2, ask())
        pictures_open(engine)
        events = run(engine)
    assert all(isinstance(news_of(events, key)[-1], EditResult) for key in (1, 2))
    assert model.batches == [1] * 9


def test_a_cancelled_exact_edit_has_no_further_events():
    large = to_png(Image.open(io.BytesIO(photo())).resize((1500, 1000)))  # finished on a thread
    with Engine(FakeModel()) as engine:
        engine.admit(1, replace(ask(), image=large))
        while not any(isinstance(n, Progress) and n.stage is Stage.FINISHING for _, n in engine.step()):
            pass
        engine.cancel(1)
        assert not engine.busy
        assert engine.step() == []


def test_a_doubtful_exact_reading_is_asked_about_first():
    model = Writing()
    request = EditRequest(photo(), DARKER, replace(some_settings(), ask="on"))
    model.config = replace(model.config, ask_below=0.99)
    asked = edit_alone(model, request, lambda _: None)
    assert (asked.is_question, asked.doubt, asked.image) == (True, Doubt.UNSURE, photo())
    done = edit_alone(model, replace(request, settings=some_settings()), lambda _: None)
    assert (done.is_exact, done.doubt, model.batches) == (True, Doubt.UNSURE, [])
