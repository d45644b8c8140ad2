"""A small part of the hostile corpus, seeded: nothing crashes, hangs or takes much memory."""

import json

from benchmarks.hostile import QUICK, is_bad, measure


async def test_a_small_hostile_corpus_does_no_harm() -> None:
    figures = await measure(QUICK, seed=1)
    assert not is_bad(figures), json.dumps(figures)
    assert figures["pictures"]["read"] > 0
    assert figures["messages"]["ordinary_edits"] == 2
    assert figures["models"]["loaded"] + figures["models"]["refused"] == QUICK[2]
