"""A contact sheet: input, result and goal of edits side by side, with what was asked and said."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

SIDE, GAP, LINE = 160, 6, 15  # pixels
ACROSS, TEXT_LINES = 3, 5
LETTERS = 78  # that fit in a line below three pictures


@dataclass(frozen=True, slots=True)
class ContactSheetCard:
    """One edit on the sheet."""

    before: Image.Image
    result: Image.Image
    goal: Image.Image
    instruction: str
    expressive: str
    success: bool


def contact_sheet(shots: Sequence[ContactSheetCard]) -> Image.Image:
    """All cards, three a row; a green or red line shows whether the edit succeeded."""
    width, height = 3 * SIDE + 4 * GAP, SIDE + TEXT_LINES * LINE + 3 * GAP
    rows = -(-len(shots) // ACROSS)
    page = Image.new("RGB", (ACROSS * width, rows * height), "white")
    for index, shot in enumerate(shots):
        row, column = divmod(index, ACROSS)
        page.paste(_card(shot, (width, height)), (column * width, row * height))
    return page


def _card(shot: ContactSheetCard, size: tuple[int, int]) -> Image.Image:
    card = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(card), ImageFont.load_default(12)
    for place, picture in enumerate((shot.before, shot.result, shot.goal)):
        card.paste(picture.convert("RGB").resize((SIDE, SIDE)), (GAP + place * (SIDE + GAP), GAP))
    top = GAP + SIDE + 2
    pen.rectangle((GAP, top, size[0] - 2 * GAP, top + 2), fill="#2a9d3a" if shot.success else "#c0392b")
    asked = textwrap.wrap(f"“{shot.instruction}”", LETTERS)[:2]
    for line, text in enumerate([*asked, *textwrap.wrap(shot.expressive, LETTERS)][:TEXT_LINES]):
        colour = "#777" if line < len(asked) else "black"
        pen.text((GAP, top + GAP + line * LINE), text, fill=colour, font=font)
    return card
