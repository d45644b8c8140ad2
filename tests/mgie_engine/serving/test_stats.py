"""How long a new edit would wait."""

import pytest

from mgie_engine.serving.stats import waiting_time


@pytest.mark.parametrize(
    ("ahead", "running_for", "slots", "expected"),
    [
        (0, [], 1, 0.0),
        (0, [3.0], 2, 0.0),
        (0, [3.0], 1, 7.0),
        (2, [3.0], 1, 27.0),
        (1, [3.0, 6.0], 2, 7.0),
        (0, [99.0], 1, 0.0),
    ],
)
def test_waiting_time(ahead: int, running_for: list[float], slots: int, expected: float):
    assert waiting_time(ahead, running_for, slots, seconds_per_edit=10.0) == expected
