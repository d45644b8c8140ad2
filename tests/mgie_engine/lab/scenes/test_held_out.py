"""What is held out is a way to put words, never a word: a model can only recombine what it has read."""

import re
from collections import Counter
from string import Formatter

import pytest

from mgie_engine.lab.scenes.phrasing import phrasings, table, templates, ways

ENOUGH = 3  # phrasings for training that share a word with a held-out one
ELSEWHERE = {kind: table("elsewhere")[kind] for kind in ("sayings", "asks", "about")}
SOURCES = {"phrases": phrasings(), "tones": table("tones"), "elsewhere": ELSEWHERE}
KINDS = [
    (source, kind) for source, kinds in SOURCES.items() for kind, entry in kinds.items() if "train" in entry
]
COUNTING = tuple(table("counting"))
HABITS = table("words")["habits"]


def taught(source, kind):
    return {way for template in templates(kind, "train", source) for way in ways(template)}


def words(phrasing):
    return set(re.findall(r"[a-z']+", re.sub(r"\{\w*\}", " ", phrasing.lower())))


def bare(phrasing):
    """A phrasing without case, marks, articles and politeness; fields keep their names."""
    named = phrasing.replace("{name}", "{it}")
    plain = re.sub(r"[^\w ]", "", named.lower().replace("colour", "color"))
    for habit in sorted({*HABITS["before"], *HABITS["openers"]}, key=len, reverse=True):
        plain = plain.removeprefix(re.sub(r"[^\w ]", "", habit.lower()) + " ")
    for habit in sorted(set(HABITS["after"]), key=len, reverse=True):
        plain = plain.removesuffix(" " + re.sub(r"[^\w ]", "", habit.lower()))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


@pytest.mark.parametrize(("source", "kind"), KINDS)
def test_every_word_of_a_held_out_phrasing_is_known_from_others_of_its_kind(source, kind):
    known = Counter(word for phrasing in taught(source, kind) for word in words(phrasing))
    rare = {
        word: known[word]
        for held_out in templates(kind, "test", source)
        for word in words(held_out)
        if known[word] < ENOUGH
    }
    assert not rare


@pytest.mark.parametrize("source", SOURCES)
def test_no_phrasing_for_training_is_a_held_out_one_in_other_clothes(source):
    kinds = [kind for where, kind in KINDS if where == source]
    held_out = {bare(phrasing) for kind in kinds for phrasing in templates(kind, "test", source)}
    assert not {way for kind in kinds for way in taught(source, kind) if bare(way) in held_out}


def test_held_out_words_for_counting_recombine_those_for_training():
    known = Counter(word for kind in COUNTING for way in taught("counting", kind) for word in words(way))
    for kind in COUNTING:
        held_out = templates(kind, "test", "counting")
        assert all(known[word] >= ENOUGH for way in held_out for word in words(way)), kind
        assert not {bare(way) for way in held_out} & {bare(way) for way in taught("counting", kind)}


def test_every_word_of_a_held_out_foreign_instruction_is_known_from_others():
    subjects = " ".join(table("elsewhere")["subjects"])
    lines = [
        *table("elsewhere")["train"],
        subjects,
        *taught("elsewhere", "sayings"),
        *taught("elsewhere", "asks"),
    ]
    known = Counter(word for line in lines for word in words(line))
    assert not {word for line in table("elsewhere")["test"] for word in words(line) if not known[word]}


@pytest.mark.parametrize(("source", "kind"), KINDS)
def test_a_kind_has_many_times_as_many_ways_for_training_as_are_held_out(source, kind):
    assert len(taught(source, kind)) >= 10 * len(templates(kind, "test", source))


def test_choices_are_all_there():
    assert ways("a (b|c) {it}( d|)") == ["a b {it} d", "a b {it}", "a c {it} d", "a c {it}"]


def test_every_phrasing_names_fields_that_are_known():
    for source, kind in KINDS:
        for template in templates(kind, "train", source):
            for way in ways(template):
                assert not re.search(r"[()|<]", way.replace("->", "").replace("=>", "")), way
                assert all(name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(way))
