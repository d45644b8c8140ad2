"""Values on the command line."""

import argparse

import pytest

from mgie_engine.cli_types import not_negative, positive


def test_whole_numbers_from_1_are_positive():
    assert [positive("1"), positive("256"), not_negative("0")] == [1, 256, 0]


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "many", ""])
def test_anything_else_is_wrong_usage(text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 1"):
        positive(text)
