"""How the bound below which a model asks is chosen and written."""

import json

from benchmarks.asking import Bounds, Judged, by_topic, choose, row_at, write_bounds


def rows(*shares):
    """One set: (plain bound, intricate bound, wrong edits, right or rightly asked) of each row."""
    names = "plain", "intricate", "wrong_edits", "right_or_rightly_asked"
    return [dict(zip(names, some, strict=True)) for some in shares]


def test_the_bounds_that_do_most_where_wrong_edits_are_rare_are_chosen():
    one = rows((0.5, 0.8, 0.04, 0.9), (0.6, 0.9, 0.02, 0.88))
    other = rows((0.5, 0.8, 0.07, 0.9), (0.6, 0.9, 0.05, 0.8))
    assert choose([one]) == Bounds(0.5, 0.8)
    assert choose([one, other]) == Bounds(0.6, 0.9)
    assert choose([rows((0.5, 0.8, 0.2, 0.5), (0.6, 0.9, 0.1, 0.4))]) == Bounds(0.6, 0.9)


def test_a_row_counts_what_is_done_and_what_is_asked():
    judged = [
        Judged(0.99, wrong=False, acts=True),
        Judged(0.99, wrong=True, acts=True),
        Judged(0.3, wrong=True, acts=True),
        Judged(0.3, wrong=False, acts=True),
        Judged(0.1, wrong=False, acts=False),
    ]
    row = row_at(judged, Bounds(0.9, 0.9))
    assert (row["asked"], row["asked_needlessly"], row["wrong_edits"]) == (0.4, 0.2, 0.2)
    assert (row["right_or_rightly_asked"], row["right_or_asked"]) == (0.6, 0.8)


def test_what_the_rules_doubt_is_asked_about_at_any_bound_and_a_refusal_never():
    doubted = Judged(0.99, wrong=True, acts=True, doubted=True, topic="compound")
    declined = Judged(0.1, wrong=False, acts=False, doubted=True, topic="declined")
    row = row_at([doubted, declined], Bounds(0.5, 0.5))
    assert (row["asked"], row["wrong_edits"], row["right_or_rightly_asked"]) == (0.5, 0.0, 1.0)
    assert by_topic([doubted, declined]) == {"compound": [doubted], "declined": [declined]}


def test_an_intricate_instruction_has_a_bound_of_its_own():
    plain = Judged(0.7, wrong=False, acts=True)
    assert not plain.asked(Bounds(0.6, 0.8))
    assert plain._replace(intricate=True).asked(Bounds(0.6, 0.8))


def test_the_bounds_are_written_and_the_rest_stays(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"name": "x", "ask_below": 0.0}')
    write_bounds(file, Bounds(0.6, 0.9))
    written = json.loads(file.read_text())
    assert written == {"name": "x", "ask_below": 0.6, "ask_below_intricate": 0.9}
