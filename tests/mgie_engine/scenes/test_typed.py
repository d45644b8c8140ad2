from collections import Counter

import pytest

from mgie_engine.scenes.facts import UNREADABLE, holds, read
from mgie_engine.scenes.typed import typed_edits, typed_start
from tests.mgie_engine.scenes.telling import steps


def test_there_are_twenty_wishes_of_every_frequent_kind():
    count = Counter(edit.kind for edit in typed_edits())
    assert all(
        count[kind] >= 20
        for kind in (
            "recolour", "remove", "replace", "add", "resize", "move", "background", "tonal", "refuse",
        )
    )  # fmt: skip


@pytest.mark.parametrize("which", ["typed", "unheard"])
def test_every_wish_comes_to_what_it_says(which):
    for edit in typed_edits(which):
        facts = read(edit.expressive)
        assert all(holds(fact, typed_start(), edit.goal) and fact.attribute != UNREADABLE for fact in facts)
        assert (edit.goal == typed_start()) == (edit.kind in ("refuse", "nothing"))


def test_no_wish_is_one_that_is_made_up():
    made_up = {step.edit.instruction.lower() for _, step in steps()}
    assert not made_up & {edit.instruction.lower() for edit in typed_edits()}
