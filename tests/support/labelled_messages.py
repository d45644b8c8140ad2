"""Messages with what they ask for, and how well the bot tells it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.i18n.catalog import ENGLISH
from conversations.intents.intent import understand
from conversations.intents.message_markup import strip_markup
from conversations.intents.sorted_text import Asks, CommandWord

CLASSES = ("edit", "control", "help", "ignore")
NAMED = ("@bot", "@mgie")  # how a file may write the mention of the bot


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message, what it asks for, and whether it was said to the bot."""

    text: str
    label: str
    is_addressed: bool = True


def read_labelled(file: Path, *, is_addressed: bool = True) -> Iterator[Labelled]:
    """The messages of a file; ValueError for a line without one of the labels."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        text, label, *door = line.split("\t")
        if label.strip() not in CLASSES:
            raise ValueError(f"{file}:{number}: {label!r} is none of {', '.join(CLASSES)}")
        yield Labelled(text, label.strip(), is_addressed and door[:1] != ["channel"])


def answer(said: Labelled, language: str = ENGLISH) -> str:
    """What the bot takes the message for: a class, or "unsure" where it asks."""
    text = said.text
    for name in NAMED:
        text = text.replace(name, " ")
    found = understand(strip_markup(text), language, is_addressed=said.is_addressed)
    if found.asks is Asks.CONTROL and found.command and found.command.word is CommandWord.HELP:
        return "help"
    return found.asks.value


def measure(messages: Iterable[Labelled], language: str = ENGLISH) -> dict[str, Any]:
    """The figures of some messages, by name; "wrong" lists what was taken for something else."""
    answers = [(said, answer(said, language)) for said in messages]
    totals = Counter(said.label for said, _ in answers)
    right = Counter(said.label for said, given in answers if given == said.label)
    edits = [given for said, given in answers if said.label == "edit"]
    others = [given for said, given in answers if said.label != "edit"]
    painted, missed, asked = others.count("edit"), len(edits) - edits.count("edit"), edits.count("unsure")
    return {
        "messages": len(answers),
        "accuracy": {name: _share(right[name], totals[name]) for name in CLASSES if totals[name]},
        "painted": painted,
        "painted_share": _share(painted, len(others)),
        "missed": missed - asked,
        "asked": asked,
        "taken_share": _share(len(edits) - missed, len(edits)),
        "wrong": [(said.label, given, said.text) for said, given in answers if given != said.label],
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
