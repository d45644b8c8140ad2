"""Tones that the expressive instruction names are carried out exactly, whatever was painted."""

import numpy as np
import pytest
import torch

from mgie_engine.restore import restore
from mgie_engine.restore.said_tones import said_tones
from mgie_engine.restore.tones import ToneSpec, apply
from tests.mgie_engine.restore.test_part_tone import LARGE, SIDE, view

THINGS = "All things stay where they are."


def exact(pixels: np.ndarray, *tones: ToneSpec) -> np.ndarray:
    picture = torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
    return (apply(picture, [tones])[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def halfway(*tones: ToneSpec) -> np.ndarray:
    """A painting that shows half of the change, with noise."""
    small = view(SIDE).astype(float)
    made = small + 0.5 * (exact(view(SIDE), *tones) - small)
    return (made + np.random.default_rng(1).normal(0, 3, made.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("expressive", "tones"),
    [
        (f"The whole picture gets darker. {THINGS}", [ToneSpec("darker", 1.0)]),
        (f"The whole picture gets much warmer and gets a little darker. {THINGS}",
         [ToneSpec("warm", 1.8), ToneSpec("darker", 0.5)]),
        ("The blues turn green. The rest stays.", [ToneSpec("to_green", 1.0, "blues")]),
        ("Everything but the reds gets much less colourful. The rest stays.",
         [ToneSpec("muted", 1.8, "not reds")]),
        ("The shadows get a little brighter. The left half turns deep blue. The rest stays.",
         [ToneSpec("brighter", 0.5, "shadows"), ToneSpec("to_blue", 1.8, "left")]),
        ("The whole picture turns into its negative. " + THINGS, [ToneSpec("invert", 1.0)]),
    ],
)  # fmt: skip
def test_what_is_said_is_understood_and_carried_out_to_the_byte(expressive, tones):
    assert list(said_tones(expressive)) == tones
    done = restore(view(LARGE), view(SIDE), halfway(*tones), tones=said_tones(expressive))
    off = np.abs(np.asarray(done.picture).astype(int) - exact(view(LARGE), *tones))
    assert off.max() <= 1
    assert (off > 0).mean() < 0.01


@pytest.mark.parametrize(
    "expressive",
    [
        f"The whole picture gets softer. {THINGS}",
        "The sky gets darker. The rest stays.",
        "The left half gets darker. The sky gets warmer. The rest stays.",
        "The large red ball in front on the far left turns blue. The green tree at the back stays.",
        f"The whole picture becomes a poem. {THINGS}",
        "Nothing changes.",
        "",
    ],
)
def test_what_has_no_exact_definition_is_left_to_the_painting(expressive):
    assert said_tones(expressive) == ()


@pytest.mark.parametrize("shift", [60, -60, 0])
def test_a_painting_of_something_else_or_of_nothing_changes_nothing(shift):
    spec = ToneSpec("darker", 1.0, "left")
    other = (view(SIDE).astype(int) + shift).clip(0, 255).astype(np.uint8)
    one, same = (
        restore(view(LARGE), view(SIDE), made, tones=[spec]).picture for made in (other, halfway(spec))
    )
    assert np.array_equal(np.asarray(one), np.asarray(same))


def test_a_region_that_the_picture_does_not_have_is_said_to_change_nothing():
    grey = np.repeat(view(LARGE)[..., :1], 3, axis=2)
    small = np.repeat(view(SIDE)[..., :1], 3, axis=2)
    done = restore(grey, small, view(SIDE), tones=said_tones("The blues turn green. The rest stays."))
    assert np.array_equal(np.asarray(done.picture), grey)
    assert [note.code for note in done.notes] == ["note_nothing_changed"]


def test_a_tone_of_colour_brings_colour_into_a_grey_picture():
    grey = np.repeat(view(LARGE)[..., :1], 3, axis=2)
    small = np.repeat(view(SIDE)[..., :1], 3, axis=2)
    done = np.asarray(restore(grey, small, small, tones=[ToneSpec("warm", 1.0)]).picture)
    assert (done[..., 0] > done[..., 2]).any()


@pytest.mark.parametrize(("keep", "names"), [("auto", ["darker"]), ("strict", ["darker"]), ("off", [])])
def test_where_the_painting_itself_is_asked_for_no_tone_takes_its_place(keep, names):
    assert [tone.name for tone in said_tones(f"The whole picture gets darker. {THINGS}", keep=keep)] == names


def test_a_degree_is_a_factor_on_the_strength():
    assert said_tones(f"The whole picture gets much darker. {THINGS}", 0.5) == (ToneSpec("darker", 0.9),)
    assert said_tones(f"The whole picture turns sepia. {THINGS}", 0.5) == ()


def test_the_rest_keeps_its_bytes_and_a_transparent_picture_its_alpha():
    original = np.dstack([view(LARGE), np.full((LARGE, LARGE), 77, np.uint8)])
    spec = ToneSpec("darker", 1.0, "left")
    result = np.asarray(restore(original, view(SIDE), halfway(spec), tones=[spec]).picture)
    assert np.array_equal(result[:, LARGE // 2 + 80 :], original[:, LARGE // 2 + 80 :])
    assert (result[..., 3] == 77).all()


def test_an_adjustment_by_its_definition_alone_is_exact():
    expressive = f"The whole picture gets darker. {THINGS}"
    tones = said_tones(expressive)
    agrees = restore(view(SIDE), view(SIDE), halfway(*tones), tones=tones)
    differs = restore(view(SIDE), view(SIDE), halfway(*tones), tones=())
    assert (agrees.is_exact, differs.is_exact) == (True, False)
