import pytest
import torch
import torch.nn.functional as F

from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.tonal import tone_edit
from mgie_engine.lab.scenes.tones import STRENGTHS, TONES, UNGRADED, ToneSpec, apply
from tests.support.scene_descriptions import drawn, steps

PHOTO = State(None, photo=5)


@pytest.mark.parametrize("name", sorted(TONES))
def test_an_operation_is_the_same_edit_at_another_resolution(name):
    large = drawn(PHOTO, size=192)
    chain = [[ToneSpec(name, 1.0)]]
    small = F.avg_pool2d(large, 2)
    difference = F.avg_pool2d(apply(large, chain), 2) - apply(small, chain)
    assert difference.square().mean().sqrt() < 0.03


@pytest.mark.parametrize("name", sorted(set(TONES) - UNGRADED))
def test_much_moves_a_picture_further_than_a_little(name):
    picture = drawn(PHOTO, size=192)
    little, plain, much = (
        (apply(picture, [[ToneSpec(name, strength)]]) - picture).abs().mean()
        for strength in STRENGTHS.values()
    )
    assert 0.001 < little < plain < much


@pytest.mark.parametrize("name", sorted(UNGRADED))
def test_what_has_no_degrees_is_the_same_at_every_strength(name):
    edits = [tone_edit(PHOTO, ((name, degree),), "") for degree in STRENGTHS]
    assert len({edit.expressive for edit in edits if edit}) == 1


def test_every_operation_has_its_words():
    for name in TONES:
        assert {"train", "test"} <= table("tones")[name].keys()
        assert len(table("tones")["effects"][name]) == len(STRENGTHS)


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
        if step.edit.kind not in ("tonal", "nothing", "follow-up", "refuse"):
            assert one_story.states[step.before].is_readable
