"""Every language has every message that the program uses, and no other."""

import ast
import string
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.chat.events import ButtonAction
from bot.chat.moderation_events import ModAction
from bot.chat.operator_events import OperatorAct
from bot.discord_chat.ui.buttons import DiscordButton
from bot.i18n.catalog import LOCALES, accepted_locale, languages, match_locale, translator
from bot.web_chat.picture_downloads import FORMATS
from bot.workflow.text_commands import OFFERED
from conversations.intents import phrase_tables
from conversations.intents.phrase_tables import phrase_table
from conversations.intents.sorted_text import CommandWord
from conversations.messages import JOINED, TEXT, Message, joined, verbatim
from conversations.settings import SETTING_NAMES
from conversations.store.share_ledger import SCOPES
from mgie_engine.strengths import Kind, Pictures

ROOT = Path(__file__).parents[3]
FIELDS = ("instruction", "instruction_hint", "expressive", "expressive_hint")  # of the local page
SETTINGS = set(SETTING_NAMES)
DECIDED = (  # what is said of a decision without a detail of it
    *("pause", "resume", "open", "hide", "close", "overhear", "ignore", "reports", "own_only", "by_consent"),
    *("only", "everywhere", "dismiss", "threads", "no_threads", "showcase", "no_showcase"),
)
BY_VALUE = {  # messages whose code is made of the value of an enum
    *(f"button.{act}" for act in (*ButtonAction, *DiscordButton)),
    *(f"action.{rule}" for rule in ModAction if rule not in (ModAction.STATUS, ModAction.LOG)),
    *(f"setting.{name}" for name in SETTINGS),
    *(f"page.{name}" for name in (*FIELDS, *(SETTINGS - {"sampler", "keep"}), "random")),
    *(f"means.{word}" for word in OFFERED),
    *(f"language.{code}" for code in languages()),
    *(f"decided.{action}" for action in DECIDED),
    *(f"auto_{each}" for each in (*Kind, *Pictures)),
    *(f"share.{scope}" for scope in SCOPES),
    *(f"page.save_{kind}" for kind in FORMATS),
    *(f"operator_done.{act}" for act in (OperatorAct.DRAIN, OperatorAct.ANNOUNCE, OperatorAct.REMOVE)),
    "help.discord",
    "help.web",
}


@cache
def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "messages.po").open("rb") as file:
        return read_po(file)


def texts(language: str) -> dict[str, tuple[str, ...]]:
    """The forms of every entry, by code."""
    entries = {_code(entry.id): entry.string or "" for entry in catalogue(language) if entry.id}
    return {code: (text,) if isinstance(text, str) else tuple(text) for code, text in entries.items()}


def _code(msgid: str | Iterable[str]) -> str:
    return msgid if isinstance(msgid, str) else next(iter(msgid))


@cache
def used() -> set[str]:
    """Every code that the program names."""
    return {
        _code(code)
        for method, ending in (("python", "py"), ("jinja2.ext:babel_extract", "html"))
        for package in ("bot", "conversations", "mgie_engine")
        for _, _, code, _, _ in extract_from_dir(
            ROOT / package, method_map=[(f"**.{ending}", method)], keywords={"Message": None, "t": None}
        )
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def calls() -> Iterator[tuple[str, set[str]]]:
    """Every message that the source makes with parameters by name: its code, and those parameters."""
    for file in (file for package in ("bot", "conversations") for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name("Message"), [ast.Constant(str(code))], keywords):
                    names = {keyword.arg for keyword in keywords if keyword.arg}
                    if len(names) == len(keywords):  # not those of a mapping, **params
                        yield code, names


def test_every_message_gets_the_parameters_that_its_text_names() -> None:
    wanted = {code: set().union(*map(placeholders, forms)) for code, forms in texts("en").items()}
    wrong = [(code, names) for code, names in calls() if code in wanted and names != wanted[code]]
    assert wrong == []


def test_english_german_and_spanish_are_there() -> None:
    assert set(languages()) >= {"en", "de", "es"}
    assert languages()[0] == "en"


@pytest.mark.parametrize("language", languages())
def test_a_catalogue_holds_exactly_what_the_program_uses(language: str) -> None:
    assert set(texts(language)) == (used() | BY_VALUE) - {TEXT, JOINED}


@pytest.mark.parametrize("language", languages())
def test_every_entry_has_the_placeholders_of_the_english_one(language: str) -> None:
    def by_code(of: str) -> dict[str, set[str]]:
        return {code: placeholders(forms[-1]) for code, forms in texts(of).items()}

    assert by_code(language) == by_code("en")


@pytest.mark.parametrize("language", languages())
def test_every_form_of_a_plural_is_there(language: str) -> None:
    for code, forms in texts(language).items():
        assert all(forms), code
        if len(forms) > 1:
            assert len(forms) == catalogue(language).num_plurals, code
            assert "count" in placeholders(forms[-1]), code


@pytest.mark.parametrize("language", languages())
def test_a_plural_is_one_in_every_language(language: str) -> None:
    def plurals(of: str) -> set[str]:
        return {code for code, forms in texts(of).items() if len(forms) > 1}

    assert plurals(language) == plurals("en")


def test_every_language_that_is_written_is_understood() -> None:
    assert phrase_tables.languages() == languages()


@pytest.mark.parametrize("language", languages())
def test_every_language_has_words_for_every_command(language: str) -> None:
    own = phrase_table(language)
    assert set(own.commands) == set(CommandWord)
    assert set(own.tags) >= {"filler", "seen", "elsewhere", "thanks"}
    for name in ("steering",):
        assert set(getattr(own, name)) == set(getattr(phrase_table("en"), name))


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
def test_a_browser_is_answered_in_the_language_it_prefers(header: str | None, language: str) -> None:
    assert accepted_locale(header) == language


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("es-419", "es"), ("en_GB", "en"), ("fr", "en"), (None, "en"), ("../de", "en")],
)
def test_any_tag_gives_a_language_of_ours(tag: object, language: str) -> None:
    assert match_locale(tag) == language


def test_a_message_is_rendered_in_the_language_of_the_user() -> None:
    queued = Message("queued", version="v3")
    assert translator("en")(queued) == "Queued as v3."
    assert translator("de-AT")(queued) != translator("es")(queued)


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [("en", 1, "1 edit"), ("en", 0, "0 edits"), ("de", 2, "2 Bearbeitungen"), ("es", 1, "1 edición")],
)
def test_a_count_selects_the_plural_form(language: str, count: int, text: str) -> None:
    assert translator(language)(Message("edits", count=count)) == text


def test_numbers_are_written_as_the_language_does() -> None:
    size = Message("mebibytes", size=1234.5)
    assert translator("en")(size) == "1,234.5 MiB"
    assert translator("de")(size) == "1.234,5 MiB"


def test_a_parameter_may_be_a_message_or_several() -> None:
    german = translator("de")
    assert german(joined(" · ", verbatim("v3"), Message("edits", count=1))) == "v3 · 1 Bearbeitung"
    assert "{" not in german(Message("status_blocked", list=("<@1>", "<@2>")))


def test_words_of_users_are_never_taken_for_a_pattern() -> None:
    assert translator("en")(verbatim("{version} {0}")) == "{version} {0}"
    assert "{version}" in translator("en")(Message("not_a_seed", word="{version}"))
