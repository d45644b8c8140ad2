"""Strips cover a picture once, whatever the number of cores; errors are passed on."""

import threading

import numpy as np
import pytest

from mgie_engine.restore.strips import in_strips, prepare_thread


def counted(cores: int, height: int, pixels: int) -> np.ndarray:
    """How often each row is worked on, in a thread with so many cores."""
    found = np.zeros(height, int)

    def work(rows: slice) -> None:
        found[rows] += 1

    def ask() -> None:
        prepare_thread(cores)
        in_strips((height, 10, 3), work, pixels)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return found


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize(("height", "pixels"), [(1, 40), (13, 40), (40, 1), (7, 1000)])
def test_every_row_is_worked_on_once(cores: int, height: int, pixels: int) -> None:
    assert (counted(cores, height, pixels) == 1).all()


def test_an_error_in_a_strip_is_passed_on() -> None:
    def work(rows: slice) -> None:
        raise ValueError(rows.start)

    with pytest.raises(ValueError, match="0"):
        in_strips((100, 10), work, 50)
