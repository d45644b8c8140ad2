"""No phrase of training means two things: what people type of one picture has one expressive instruction."""

import re
from collections import defaultdict
from random import Random

import pytest

from mgie_engine.lab.scenes import addressed_tones, phrasing, tonal, tone_followups
from mgie_engine.lab.scenes.followups import follow_up
from mgie_engine.lab.scenes.phrasing import fields, fill, table, templates, ways
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.stories import first_edit
from mgie_engine.lab.scenes.tonal import DEGREES, ON_PHOTOS
from mgie_engine.restore.tones import UNGRADED

EDITS = 5000
NO_LAYER = "I see no "


def plain(text):
    """Without case, marks between clauses, articles and politeness."""
    bare = re.sub(r"[.,;:!?'\"()…]", " ", text.lower())
    return " ".join(re.sub(r"\b(a|an|the|please)\b", " ", bare).split())


def whole_picture_phrases():
    """Every way of every table for the whole picture, with its tone and degree."""
    for name in ON_PHOTOS:
        for template in (*templates(name, "train", "tones"), *templates(name, "test", "tones")):
            for way in ways(template):
                for degree in DEGREES:
                    if degree == "plain" or (name not in UNGRADED and fields(way)):
                        words = table("tones")["degrees"][degree]
                        yield fill(way, **{field: words[field][0] for field in words}), (name, degree)
    for mood in table("tones")["photo_moods"]:
        for template in (*templates(mood, "train"), *templates(mood, "test")):
            for way in ways(template):
                if not fields(way):
                    yield way, (mood, "")


def test_no_phrase_for_the_whole_picture_is_in_two_tables():
    meant = defaultdict(set)
    for said, reading in whole_picture_phrases():
        meant[plain(said)].add(reading)
    assert len(meant) > 10_000
    assert not {said: readings for said, readings in meant.items() if len(readings) > 1}


def test_no_word_for_a_part_of_a_picture_belongs_to_two_operations():
    meant = defaultdict(set)
    for name, words in table("addressed")["ops"].items():
        for slot in ("more", "verb", "bad", "less", "more_ways"):
            for template in words.get(slot, ()):
                for way in ways(template):
                    meant[slot, way.lower()].add(name)
    assert not {said: names for said, names in meant.items() if len(names) > 1}


@pytest.fixture
def undressed(monkeypatch):
    """Phrases without typing habits and remarks."""
    for module in (phrasing, addressed_tones, tonal, tone_followups):
        monkeypatch.setattr(module, "dress", lambda rng, text: text)
    monkeypatch.setattr(phrasing, "ASIDES", 0)


def test_no_instruction_for_a_photo_has_two_readings(undressed):
    meant = defaultdict(set)
    for seed in range(EDITS):
        rng = Random(f"one-reading-{seed}")
        start = State(None, photo=rng.getrandbits(30))
        first = first_edit(RngStreams.of(rng, "train"), start)
        meant["", plain(first.instruction)].add(first.expressive)
        then = follow_up(RngStreams.of(rng, "train"), first.goal, first)
        if then:
            meant[first.expressive, plain(then.instruction)].add(then.expressive)
    for readings in meant.values():
        readings -= {text for text in readings if NO_LAYER in text}  # depends on the picture
    assert not {said: readings for said, readings in meant.items() if len(readings) > 1}
