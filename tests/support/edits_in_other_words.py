"""Edits of a maker that are made twice, in the words of both splits."""

from collections.abc import Callable, Iterator
from random import Random

from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.fact_checker import fact_holds, parse_facts
from mgie_engine.lab.scenes.rng import RecordingRandom, ReplayingRandom, RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, EditGenerator, State


def true_in_other_words(
    maker: EditGenerator, start: Callable[[Random], State], name: str, trials: int
) -> Iterator[Edit]:
    """The edits of as many trials; asserts that each is true, and the same in the words of both splits."""
    for seed in range(trials):
        rng = Random(f"{name}-{seed}")
        before = start(rng)
        taped = RecordingRandom(rng)
        edit = maker(RngStreams(taped, rng, "train"), before)
        again = maker(RngStreams(ReplayingRandom(taped.tape), Random(seed), "test"), before)
        assert (edit is None) == (again is None)
        if edit and again:
            assert (edit.expressive, edit.goal) == (again.expressive, again.goal)
            assert all(fact_holds(fact, before, edit.goal) for fact in parse_facts(edit.expressive))
            assert (edit.goal == before) == (edit.expressive == AS_ASKED)
            yield edit
