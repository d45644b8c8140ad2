import pytest
import torch
import torch.nn.functional as F

from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.tonal import tone_edit
from mgie_engine.restore.region_masks import luma
from mgie_engine.restore.said_tones import effects
from mgie_engine.restore.tones import (
    INVERSE,
    STRENGTHS,
    TONES,
    UNGRADED,
    ToneSpec,
    apply,
    percent,
    stops,
)
from tests.support.scene_descriptions import drawn, steps

PHOTO = State(None, photo=5)


def rounded(pictures):
    return (pictures.clamp(0, 1) * 255).round() / 255


@pytest.fixture(scope="module")
def photos():
    return [rounded(drawn(State(None, photo=seed), size=128)) for seed in range(8)]


@pytest.mark.parametrize("name", sorted(TONES))
def test_an_operation_is_the_same_edit_at_another_resolution(name):
    large = drawn(PHOTO, size=192)
    chain = [[ToneSpec(name, 1.0)]]
    small = F.avg_pool2d(large, 2)
    difference = F.avg_pool2d(apply(large, chain), 2) - apply(small, chain)
    assert difference.square().mean().sqrt() < 0.03


@pytest.mark.parametrize("name", sorted(set(TONES) - UNGRADED))
def test_much_moves_a_picture_further_than_a_little(name, photos):
    picture = torch.cat(photos)
    little, plain, much = (
        (apply(picture, [[ToneSpec(name, strength)]] * len(photos)) - picture).abs().mean()
        for strength in STRENGTHS.values()
    )
    assert 0.001 < little < plain < much


@pytest.mark.parametrize("name", sorted(UNGRADED))
def test_what_has_no_degrees_is_the_same_at_every_strength(name):
    edits = [tone_edit(PHOTO, ((name, degree),), "") for degree in STRENGTHS]
    assert len({edit.expressive for edit in edits if edit}) == 1


def test_every_operation_has_its_words():
    for name in TONES:
        where = table("addressed")["ops"] if name.startswith("to_") else table("tones")
        assert where[name]
        assert len(effects()[name]) == len(STRENGTHS)


def test_a_batch_of_chains_is_each_chain_alone():
    picture = drawn(PHOTO)
    chains = [[ToneSpec("warm", 1.0), ToneSpec("blur", 0.5)], [], [ToneSpec("blur", 1.6)]]
    together = apply(picture.repeat(3, 1, 1, 1), chains)
    alone = torch.cat([apply(picture, [chain]) for chain in chains])
    assert torch.allclose(together, alone, atol=1e-6)


def test_nothing_colourful_is_asked_of_a_grey_picture():
    grey = tone_edit(PHOTO, (("grey", "plain"),), "b&w")
    assert grey
    assert tone_edit(grey.goal, (("vivid", "plain"),), "more colour") is None
    assert tone_edit(grey.goal, (("brighter", "plain"),), "brighter")


def test_things_are_only_edited_where_their_colours_can_be_told():
    for one_story, step in steps():
        if step.edit.kind not in ("tonal", "local", "nothing", "follow-up", "refuse"):
            assert one_story.states[step.before].is_readable


def db(one, other):
    return float(-10 * torch.log10((one - other).square().mean() + 1e-12))


def toned(picture, *names, strength=1.0):
    """The picture after tones, stored with 8 bits after each."""
    for name in names:
        picture = rounded(apply(picture, [[ToneSpec(name, strength)]]))
    return picture


@pytest.mark.parametrize("strength", STRENGTHS.values())
@pytest.mark.parametrize(
    "pair", [("brighter", "darker"), ("warm", "cool"), ("contrast", "flat"), ("magenta", "green")]
)
def test_a_tone_and_its_inverse_give_the_picture_back(pair, strength, photos):
    assert INVERSE[pair[0]] == pair[1]
    for picture in photos:
        for order in (pair, pair[::-1]):
            assert db(toned(picture, *order, strength=strength), picture) > 40


@pytest.mark.parametrize(
    "names", [("brighter", "brighter"), ("darker", "darker"), ("contrast",), ("warm", "cool")]
)
def test_black_and_white_stay(names):
    ends = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(1, 3, 64, 2)
    assert torch.equal(toned(ends, *names), ends)


def test_dark_levels_stay_dark_and_nothing_clips_when_made_brighter_twice(photos):
    shadows = torch.linspace(0, 25 / 255, 8).view(1, 1, 1, 8).expand(1, 3, 64, 8)
    assert (toned(shadows, "brighter", "brighter") - shadows).max() <= 12 / 255
    for picture in photos:
        clipped = (toned(picture, "brighter", "brighter") == 1) & (picture < 1)
        assert clipped.any(1).float().mean() <= 0.01


def test_contrast_does_not_crush_black():
    shadows = torch.linspace(10 / 255, 40 / 255, 4).view(1, 1, 1, 4).expand(1, 3, 64, 4)
    assert (toned(shadows, "contrast") > 0.6 * shadows).all()


@pytest.mark.parametrize("name", ["warm", "cool", "magenta", "green", "teal_orange", "vivid", "muted"])
def test_colour_changes_keep_brightness_and_leave_white_alone(name, photos):
    for picture in photos:
        assert (luma(apply(picture, [[ToneSpec(name, 1.0)]])) - luma(picture)).abs().max() < 0.01
    nearly_white = torch.full((1, 3, 64, 64), 0.97)
    assert (toned(nearly_white, name) - nearly_white).abs().max() < 4 / 255


@pytest.mark.parametrize("name", ["faded", "moody", "golden", "winter"])
def test_looks_do_not_clip(name, photos):
    for picture in photos:
        new = apply(picture, [[ToneSpec(name, 1.0)]])
        ends = ((new == 0) | (new == 1)) & (picture > 0.02) & (picture < 0.98)
        assert ends.any(1).float().mean() < 0.02


def test_black_and_white_after_darker_is_no_mud(photos):
    for picture in photos:
        direct, later = toned(picture, "grey"), toned(picture, "darker", "darker", "grey")
        assert later.std() > 0.6 * direct.std()


def test_white_balance_takes_a_cast_away():
    grey = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2
    cast = (grey * torch.tensor([1.15, 1.0, 0.8]).view(1, 3, 1, 1)).clamp(0, 1)
    even = toned(cast, "white_balance")
    assert (even.mean((2, 3)).amax() - even.mean((2, 3)).amin()) < 0.4 * (
        cast.mean((2, 3)).amax() - cast.mean((2, 3)).amin()
    )


def test_a_hue_range_becomes_another_colour():
    blue = torch.tensor([0.2, 0.35, 0.8]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    red = torch.tensor([0.8, 0.2, 0.15]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    picture = torch.cat([blue, red], 3)
    new = apply(picture, [[ToneSpec("to_green", 1.0, "blues")]])
    assert (new[:, 1, :, :64] > new[:, 2, :, :64] + 0.2).all()
    assert (new[..., 64:] - picture[..., 64:]).abs().max() < 1e-3


def test_a_stop_is_a_stop_at_mid_grey():
    grey = torch.full((1, 3, 64, 64), 0.461)  # 18 % in linear light
    brighter = apply(grey, [[ToneSpec("brighter", stops(1))]])
    assert abs(float(brighter.mean()) - 0.636) < 0.01  # 36 %
    assert percent(30) == STRENGTHS["plain"]
