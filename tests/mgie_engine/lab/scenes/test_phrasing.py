from random import Random

import pytest

from mgie_engine.lab.scenes.phrasing import dress, fill, phrase, plural, say, table, target_colour
from mgie_engine.lab.scenes.scene import COLOURS, GROUND_KINDS, GROUNDS, SKY_KINDS, TIMES


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("ball", "balls"),
        ("box", "boxes"),
        ("daisy", "daisies"),
        ("love heart", "love hearts"),
        ("hut", "huts"),
    ],
)
def test_more_than_one(name, names):
    assert plural(name) == names


def test_an_article_fits_its_word():
    assert fill("a {colour} {name}", colour="orange", name="ball") == "an orange ball"
    assert fill("add {a}{where}", a="a  red  ball", where=" ") == "add a red ball"


def test_a_phrasing_whose_field_is_unknown_is_not_used():
    said = {phrase(Random(seed), "remove", "train", it="the small ball") for seed in range(300)}
    assert not any("None" in words or words.lower().startswith("no ") for words in said)


def test_politeness_stands_before_imperatives_only():
    for seed in range(500):
        said = dress(Random(seed), "no trees").lower()
        assert not said.startswith(("please no", "can", "could", "i want"))


def test_no_colour_is_wished_by_the_name_of_another():
    said = {colour: {target_colour(Random(seed), colour) for seed in range(300)} for colour in COLOURS}
    every = [name for names in said.values() for name in names]
    assert len(every) == len(set(every))


def test_every_thing_and_value_has_words():
    words = table("words")
    assert {*GROUND_KINDS, *SKY_KINDS} == words["usual"].keys()
    assert words["target_colours"].keys() == COLOURS.keys()
    assert words["ground"].keys() == set(GROUNDS)
    assert words["time"].keys() == words["at"].keys() == set(TIMES)


def test_a_word_without_synonyms_is_itself():
    assert say(Random(0), "medium") in table("words")["names"]["medium"]
    assert say(Random(0), "unheard-of") == "unheard-of"
