"""How the bound below which a model asks is chosen and written."""

import json

from benchmarks.asking import Judged, choose, row_at, write_bound


def test_the_least_bound_that_is_good_on_every_set_is_chosen():
    one = [{"bound": 0.5, "wrong_edits": 0.04}, {"bound": 0.9, "wrong_edits": 0.02}]
    other = [{"bound": 0.5, "wrong_edits": 0.07}, {"bound": 0.9, "wrong_edits": 0.05}]
    assert choose([one]) == 0.5
    assert choose([one, other]) == 0.9
    assert choose([[row | {"wrong_edits": 0.2} for row in one]]) == 0.5


def test_a_row_counts_what_is_done_and_what_is_asked():
    judged = [
        Judged(0.99, wrong=False, acts=True),
        Judged(0.99, wrong=True, acts=True),
        Judged(0.3, wrong=True, acts=True),
        Judged(0.3, wrong=False, acts=True),
        Judged(0.1, wrong=False, acts=False),
    ]
    row = row_at(judged, 0.9)
    assert (row["asked"], row["asked_needlessly"], row["wrong_edits"]) == (0.4, 0.2, 0.2)
    assert (row["right_or_rightly_asked"], row["right_or_asked"]) == (0.6, 0.8)


def test_the_bound_is_written_and_the_rest_stays(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"name": "x", "ask_below": 0.0}')
    write_bound(file, 0.9)
    assert json.loads(file.read_text()) == {"name": "x", "ask_below": 0.9}
