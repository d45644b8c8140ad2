"""Every language says the same things, and knows what other packages say."""

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from bot.chat.events import ButtonAction
from bot.chat.moderation_events import ModAction
from bot.i18n.catalog import (
    Phrasebook,
    Say,
    accepted_language,
    blanks_to_groups,
    known_language,
    languages,
    phrasebook,
    speaking,
    translated,
)
from conversations.errors import NoSuchVersion, VersionHasNoPicture

ROOT = Path(__file__).parents[3]
OTHERS = [language for language in languages() if language != "en"]
TABLES = [table.name for table in fields(Phrasebook)]


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_english_german_and_spanish_are_there() -> None:
    assert set(languages()) >= {"en", "de", "es"}
    assert languages()[0] == "en"


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("table", TABLES)
def test_every_language_has_every_key(language: str, table: str) -> None:
    assert set(getattr(phrasebook(language), table)) == set(getattr(phrasebook("en"), table))


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("table", ["say", "help", "buttons", "deeds", "page", "elsewhere"])
def test_every_sentence_has_the_same_blanks(language: str, table: str) -> None:
    own, english = getattr(phrasebook(language), table), getattr(phrasebook("en"), table)
    assert {key: blanks(text) for key, text in own.items()} == {
        key: blanks(text) for key, text in english.items()
    }


def test_the_tables_hold_exactly_what_the_program_says() -> None:
    assert set(phrasebook("en").say) == {sentence.name for sentence in Say}
    assert set(phrasebook("en").buttons) == set(ButtonAction)
    assert set(phrasebook("en").deeds) == set(ModAction) - {ModAction.STATUS, ModAction.LOG}


def test_the_page_says_exactly_what_is_written_for_it() -> None:
    sources = [*(ROOT / "bot/web_chat").glob("*.py"), *(ROOT / "bot/web_chat/page").glob("*.html")]
    text = "".join(source.read_text("utf-8") for source in sources)
    named = set(re.findall(r'\bt\("(\w+)"|page\["(\w+)"\]', text))
    fields = {"instruction", "expressive", "seed", "steps", "text_cfg", "image_cfg", "random"}
    hints = {"instruction_hint", "expressive_hint"}
    assert set(phrasebook("en").page) == {one or other for one, other in named} | fields | hints


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("fr;q=0.9, es;q=0.7, en;q=0.5", "es"),
        ("en-GB,de;q=0.2", "en"),
        ("de;q=none", "en"),
        ("*", "en"),
        (None, "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_likes_best(header: str | None, language: str) -> None:
    assert accepted_language(header) == language


def test_every_sentence_is_said_somewhere() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py"))
    assert [sentence.name for sentence in Say if f"Say.{sentence.name}" not in sources] == []


def test_a_sentence_is_in_the_language_spoken() -> None:
    assert Say.QUEUED(version="v3") == "Queued as v3."
    with speaking("de-AT"):
        assert Say.QUEUED(version="v3") == "Eingereiht als v3."
        with speaking("es"):
            assert Say.QUEUED(version="v3") == "En cola como v3."
        assert Say.READY() == "bereit"
    assert Say.READY() == "ready"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("es-419", "es"), ("en_GB", "en"), ("fr", "en"), (None, "en"), ("../de", "en")],
)
def test_any_tag_gives_a_language_of_ours(tag: object, language: str) -> None:
    assert known_language(tag) == language


def test_sentences_from_elsewhere_are_translated() -> None:
    error = VersionHasNoPicture("v3", "failed", "v2")
    assert translated(str(error)) == str(error)
    with speaking("de"):
        assert translated(str(error)).startswith("Von v3 gibt es kein Bild")
        assert translated(str(NoSuchVersion("v9"))).startswith("v9 gibt es hier nicht")
        assert translated("nothing changed") == "nichts geändert"
        assert translated("never heard") == "never heard"


ERRORS = ("PictureRefused", "SettingsRefused", "RequestRefused")
ELSEWHERE = (
    "conversations/images/sandbox.py",
    "conversations/images/decode.py",
    "conversations/images/formats.py",
    "conversations/settings.py",
    "mgie_engine/model/instruction.py",
    "mgie_engine/serving/engine.py",
    "mgie_engine/serving/pictures.py",
)


def refusals() -> Iterator[str]:
    """Every sentence other packages refuse something with, its blanks filled with "…"."""
    for path in ELSEWHERE:
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and node.args:
                parts = getattr(node.args[0], "values", [node.args[0]])
                if not isinstance(parts[0], ast.Constant | ast.FormattedValue):
                    continue
                yield "".join(p.value if isinstance(p, ast.Constant) else "…" for p in parts)
    source = (ROOT / "conversations/images/decode.py").read_text("utf-8")
    yield from (re.sub(r"\{.*?\}", "…", note) for note in re.findall(r'notes\.append\(f?"(.*)"\)', source))


def test_refusals_are_found() -> None:
    assert len(list(refusals())) >= 20


@pytest.mark.parametrize("sentence", list(refusals()))
def test_every_refusal_of_other_packages_is_known(sentence: str) -> None:
    known = phrasebook("en").elsewhere.values()
    assert any(blanks_to_groups(text).fullmatch(sentence) for text in known)
