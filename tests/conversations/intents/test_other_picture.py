"""Texts that mean the last instruction for another picture, and texts of a command with an instruction."""

import pytest

from bot.i18n.catalog import ENGLISH
from conversations.intents.intent import sort_text
from conversations.intents.other_picture import other_picture
from conversations.intents.sorted_text import Asks, CommandWord, OtherPicture

HERE, ELSEWHERE = OtherPicture.HERE, OtherPicture.ELSEWHERE


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("can you do the same to this one?", HERE),
        ("same for mine pls", HERE),
        ("now mine", HERE),
        ("mine", None),
        ("my picture", None),
        ("make mine blue", None),
        ("das Gleiche bitte mit meinem Bild", HERE),
        ("meins bitte auch", HERE),
        ("lo mismo con la mía", HERE),
        ("y mi foto también", HERE),
        ("could you do this one as well", HERE),
        ("and these two too please", HERE),
        ("use this one instead", HERE),
        ("kannst du das auch damit machen", HERE),
        ("mit diesem Bild das gleiche bitte", HERE),
        ("nee, nimm lieber das hier", HERE),
        ("¿puedes hacer lo mismo con esta?", HERE),
        ("ahora esta", HERE),
        ("sorry, I uploaded the wrong one", ELSEWHERE),
        ("that's not the picture I meant", ELSEWHERE),
        ("use my other photo", ELSEWHERE),
        ("do the same for the next photo", ELSEWHERE),
        ("mach das gleiche mit dem nächsten Bild", ELSEWHERE),
        ("me equivoqué de imagen", ELSEWHERE),
        ("haz lo mismo con la siguiente foto", ELSEWHERE),
        ("this one", None),
        ("this one also needs a hat", None),
        ("do the same with the roof", None),
        ("make the other photo on the wall red", None),
        ("put a different picture on the wall", None),
        ("mach das auch, damit der Himmel blau wird", None),
        ("häng ein anderes Bild an die Wand", None),
        ("lo mismo con el tejado", None),
        ("undo that", None),
    ],
)
def test_another_picture_is_told_by_what_names_it(text: str, other: OtherPicture | None) -> None:
    assert other_picture(text) is other


@pytest.mark.parametrize(
    ("text", "word", "rest"),
    [
        ("undo that and make it blue", CommandWord.UNDO, "make it blue"),
        ("the original but with a hat", CommandWord.START_OVER, "with a hat"),
        ("back to v2 but without the tree", CommandWord.GO_TO, "without the tree"),
        ("Rückgängig, dann Schnee dazu", CommandWord.UNDO, "Schnee dazu"),
        ("wieder zur ersten und dann rot", CommandWord.GO_TO, "rot"),
        ("deshaz todo y solo más claro", CommandWord.START_OVER, "solo más claro"),
        ("el original pero más oscuro", CommandWord.START_OVER, "más oscuro"),
    ],
)
def test_the_command_comes_first_and_the_instruction_is_the_rest(
    text: str, word: CommandWord, rest: str
) -> None:
    said = sort_text(text, ENGLISH)
    assert said.asks is Asks.EDIT
    assert said.first is not None
    assert (said.first.word, said.words) == (word, rest)


@pytest.mark.parametrize(
    "text",
    [
        "undo but keep the hat",
        "start from scratch but keep the hat",
        "rückgängig, aber lass den Hut",
        "deshaz eso pero deja el sombrero",
        "abbrechen, falscher Text",
        "make it red and undo the blur on the left",
    ],
)
def test_what_undoes_only_a_part_is_asked_about(text: str) -> None:
    said = sort_text(text, ENGLISH)
    assert (said.asks, said.first) == (Asks.UNSURE, None)
    assert said.command is not None
