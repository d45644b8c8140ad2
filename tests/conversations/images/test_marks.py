"""Texts of marks, as strangers may write them."""

import pytest

from conversations.images.marks import LONGEST, Marks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "box",
        "box 1 2 3",
        "box 0 0 10001 1",
        "box 0 0 1 1;",
        "line 5",
        "line 5 1",
        "circle 1 2 3",
        "box 0 0 1 -1",
        "box 0 0 1 1" + ";box 0 0 1 1" * (LONGEST // 12 + 1),
        "line 9999" + " 1 1" * 4990,  # every point paints the picture four times
        ";".join(["box 0 0 9999 9999"] * 1000),
        "line 5000" + " 0 0 9999 9999" * 200,
    ],
)
def test_texts_that_mark_nothing_sound_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mark|values to unpack"):
        Marks.parse(text)


def test_a_long_stroke_of_an_ordinary_brush_is_taken() -> None:
    marks = Marks.parse("line 300" + " 10 10 9000 9000" * 900)
    assert marks.mask((400, 300)).getbbox() == (0, 0, 373, 283)
