"""People of other languages: commands, answers and cards in theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from bot.i18n.catalog import LOCALES as LOCALES_FOLDER
from bot.i18n.catalog import languages, translator
from bot.policy.host_facts import HostFacts
from conversations.messages import Message
from tests.bot.discord_chat.test_buttons import said
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import Room, room
from tests.support.discord_server.people import text_of
from tests.support.discord_server.world import Person
from tests.support.english import english

LOCALES = ("de", "es-ES")
WITH_OPERATORS = HostFacts(operators=("discord:1",))  # so that every command is registered


def person_from(r: Room, locale: str) -> Person:
    dora = r.discord.world.add_person("dora")
    dora.locale = locale
    return dora


def in_words(locale: str, code: str) -> str:
    return translator(locale)(Message(code))


def texts_of(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The English texts of a command, an option or a choice, as the catalogues name them."""
    is_choice = "value" in part
    yield ("text" if is_choice else "name"), part["name"]
    if part.get("description"):
        yield "text", part["description"]


def parts(commands: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every command, option and choice, each with where it belongs."""
    for part in commands:
        yield part
        yield from parts(part.get("options") or [])
        yield from part.get("choices") or []


async def test_every_command_option_and_choice_has_a_german_and_a_spanish_name(tmp_path: Path) -> None:
    async with room(tmp_path, host=WITH_OPERATORS) as r:
        for part in parts(r.discord.world.commands):
            assert set(part.get("name_localizations") or {}) >= set(LOCALES), part["name"]
            if part.get("description"):
                assert set(part.get("description_localizations") or {}) >= set(LOCALES), part["description"]


@pytest.mark.parametrize("language", languages()[1:])
async def test_the_catalogue_of_commands_holds_what_discord_is_sent_and_no_more(
    tmp_path: Path, language: str
) -> None:
    async with room(tmp_path, host=WITH_OPERATORS) as r:
        texts = {text for part in parts(r.discord.world.commands) for text in texts_of(part)}
    with (LOCALES_FOLDER / language / "commands.po").open("rb") as file:
        entries = {(str(entry.context), str(entry.id)) for entry in read_po(file) if entry.id}
    assert entries == texts


async def test_localised_names_are_as_unique_as_the_english_ones(tmp_path: Path) -> None:
    async with room(tmp_path, host=WITH_OPERATORS) as r:
        commands = r.discord.world.commands
        for siblings in [commands, *(c.get("options") or [] for c in parts(commands))]:
            for locale in LOCALES:
                names = [(c["name_localizations"][locale], c["type"]) for c in siblings]
                assert len(set(names)) == len(names)
                assert all(len(name) <= 32 for name, _ in names)


@pytest.mark.parametrize("locale", LOCALES)
async def test_commands_answer_in_the_language_of_who_used_them(tmp_path: Path, locale: str) -> None:
    async with room(tmp_path) as r:
        asked = r.discord.slash(r.channel, person_from(r, locale), "session undo")
        assert await said(r, asked) == in_words(locale, "no_session") != english("no_session")


async def test_messages_are_answered_in_the_language_last_used(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        dora = person_from(r, "de")
        await said(r, r.discord.slash(r.channel, dora, "info"))
        answer = await r.answer(r.discord.say(r.channel, dora, "mach es dunkler", mention=True))
        assert text_of(answer).startswith(in_words("de", "which_picture"))


async def test_cards_speak_the_language_of_who_asked(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.anna.locale = "es-ES"
        await said(r, r.discord.slash(r.channel, r.anna, "info"))
        result = await r.result(post_picture(r))
        assert f"**{in_words('es', 'asked')}** make the ball red" in text_of(result)


async def test_a_button_answers_in_the_language_of_who_presses_it(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        result = await r.result(post_picture(r))
        opened = r.discord.press(result, "Refine", person_from(r, "de"))
        modal = await r.discord.wait_for(lambda: opened.modal)
        assert modal["title"] == "v1 verfeinern"


async def test_control_words_are_known_in_the_language_of_who_says_them(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        r.anna.locale = "de"
        await said(r, r.discord.slash(r.channel, r.anna, "info"))
        await r.result(post_picture(r))
        answer = await r.answer(r.discord.say(r.channel, r.anna, "zurück", mention=True))
        assert "v0" in text_of(answer)
