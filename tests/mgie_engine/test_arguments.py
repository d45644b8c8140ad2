"""Values on the command line."""

import argparse

import pytest

from mgie_engine.arguments import positive


def test_whole_numbers_from_1_are_positive():
    assert [positive("1"), positive("256")] == [1, 256]


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "many", ""])
def test_anything_else_is_wrong_usage(text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 1"):
        positive(text)
