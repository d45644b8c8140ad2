"""Steering is understood however it is said, in every language and before the user's language is known."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.i18n.catalog import ENGLISH, languages
from conversations.intents.intent import Understood, understand
from conversations.intents.message_markup import strip_markup
from conversations.intents.sorted_text import LATEST, Asks, CommandWord, TextCommand

TABLES: dict[str, Any] = tomllib.loads((Path(__file__).parent / "steering.toml").read_text("utf-8"))
AROUND_EACH = 3  # of the ways to say a phrase, besides saying it alone


def said_as(language: str) -> Iterator[tuple[str, str]]:
    """What is said, and the command that it means."""
    around, number = TABLES[language]["around"], 0
    for word, phrases in TABLES[language]["phrases"].items():
        for phrase in phrases:
            yield phrase, word
            for step in range(AROUND_EACH - 1):
                yield around[1 + (number + step) % (len(around) - 1)].format(phrase), word
            number += AROUND_EACH - 1


def heard(text: str, language: str = ENGLISH) -> Understood:
    return understand(strip_markup(text), language)


@pytest.mark.parametrize("known", [True, False], ids=["language known", "language unknown"])
@pytest.mark.parametrize("language", languages())
def test_steering_is_understood_or_asked_about_and_never_painted(language: str, known: bool) -> None:
    said = [*said_as(language)]
    found = [(text, word, heard(text, language if known else ENGLISH)) for text, word in said]
    painted = [text for text, _, got in found if got.asks is Asks.EDIT]
    missed = [text for text, _, got in found if got.asks is Asks.IGNORE]
    assert len(said) >= 300
    assert painted == []
    assert len(missed) <= 0.03 * len(said), missed


@pytest.mark.parametrize("language", languages())
def test_phrases_give_the_command_that_they_mean(language: str) -> None:
    phrases = [(phrase, word) for word, phrases in TABLES[language]["phrases"].items() for phrase in phrases]
    given = [(phrase, word, heard(phrase, language)) for phrase, word in phrases if word != "ask"]
    wrong = [(phrase, word) for phrase, word, got in given if got.command is None or got.command.word != word]
    assert len(wrong) <= 0.03 * len(given), wrong


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("undo the last two", TextCommand(CommandWord.UNDO, steps=2)),
        ("deshaz los últimos tres cambios", TextCommand(CommandWord.UNDO, steps=3)),
        ("can you go back to version three?", TextCommand(CommandWord.GO_TO, "v3")),
        ("back to v2 :)", TextCommand(CommandWord.GO_TO, "v2")),
        ("go to the latest", TextCommand(CommandWord.GO_TO, LATEST)),
        ("die zweite Version bitte", TextCommand(CommandWord.GO_TO, "v2", place=2)),
        ("the second one", TextCommand(CommandWord.GO_TO, "v2", place=2)),
        ("a few different versions of it", TextCommand(CommandWord.SEEDS, steps=0)),
        ("give me three versions", TextCommand(CommandWord.SEEDS, steps=3)),
        ("compare with the original", TextCommand(CommandWord.COMPARE, "v0")),
        ("show me the original", TextCommand(CommandWord.SHOW, "v0")),
        ("from the original", TextCommand(CommandWord.FROM_ORIGINAL)),
        ("thanks! undo that please", TextCommand(CommandWord.UNDO)),
        ("undo undo undo", TextCommand(CommandWord.UNDO, steps=3)),
        ("undo,undo please!", TextCommand(CommandWord.UNDO, steps=2)),
        ("zurück zurück bitte", TextCommand(CommandWord.UNDO, steps=2)),
        ("undo that. undo it please", TextCommand(CommandWord.UNDO)),
        ("no wait, go back", TextCommand(CommandWord.UNDO)),
    ],
)
def test_versions_and_steps_are_read(text: str, command: TextCommand) -> None:
    assert heard(text).command == command


@pytest.mark.parametrize(
    "text",
    [
        "stop the car from moving and make it red",
        "make the sky less blue",
        "add another dog",
        "make it look older again, with more wrinkles",
        "use a darker version of the blue for the wall",
        "keep the original colours but make it brighter",
        "one more tree please",
    ],
)
def test_instructions_with_such_words_are_instructions(text: str) -> None:
    assert heard(text).asks is Asks.EDIT
