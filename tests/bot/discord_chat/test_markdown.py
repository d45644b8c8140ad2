"""Words of users are shown as typed, in every message of the bot."""

import re
from dataclasses import dataclass

import pytest
from discord import TextDisplay, ui

from bot.chat.replies import AskTarget, Card, CardState, History, Note, Queue
from bot.discord_chat.ui.component_ids import INSTRUCTION_ID, kept_instruction
from bot.discord_chat.ui.layouts import (
    card_layout,
    history_layout,
    note_layout,
    queue_layout,
    target_layout,
)
from bot.discord_chat.ui.markdown import discord_translator, escape, unescape
from bot.workflow.consents import mention
from conversations.errors import NoSuchVersion
from conversations.messages import Message
from tests.support.discord_server.markdown import draw

TRANSLATE = discord_translator("en")
NASTY = (
    "[free nitro](https://evil.example)",
    "# HEADLINE",
    "-# small",
    "> quoted",
    "**loud** _soft_ ~~gone~~ `code` ||spoiler||",
    "<@discord:42> <@42> <#7> <:smile:1> </edit:9> <t:1:R>",
    "@everyone @here",
    "https://evil.example",
    "<https://evil.example>",
    "\\[not](https://evil.example)",
    "- one\n- two\n# three",
)


@pytest.mark.parametrize("words", NASTY)
def test_what_is_escaped_shows_as_it_was_typed(words: str) -> None:
    drawn = draw(escape(words), {42: "Ann"})
    assert drawn.startswith("<div class=line>")
    assert not re.search(r"<(a|b|i|code|span)\b", drawn)
    assert "://" not in escape(words)
    assert unescape(escape(words)) == " ".join(words.split())


@pytest.mark.parametrize("words", ["make it red", "it's 50% darker (a bit) - now!", "día & noche + 1"])
def test_ordinary_words_stay_as_they_are(words: str) -> None:
    assert escape(words) == words


def texts(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def card(words: str) -> Card:
    return Card("k3f9", "v1", "discord:1", CardState.QUEUED, instruction=words, expressive=words)


DOORS = {
    "which picture": lambda words: target_layout(
        AskTarget(Message("which_picture"), words, ()), (), TRANSLATE
    ),
    "consent": lambda words: note_layout(
        Note(Message("consent_asked", owner=mention("discord:1"), person=mention("discord:2"), words=words)),
        TRANSLATE,
    ),
    "queue": lambda words: queue_layout(
        Queue(Message("my_turn", version="v1", words=words, status=Message("ready")), (), 0, 0, None),
        None,
        TRANSLATE,
    ),
    "unknown version": lambda words: note_layout(Note(NoSuchVersion(words).message), TRANSLATE),
    "card": lambda words: card_layout(card(words), (), None, TRANSLATE),
    "history": lambda words: history_layout(
        History(Message("which_picture"), (card(words),), None), (), TRANSLATE
    ),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("words", NASTY)
def test_every_door_shows_words_as_typed(door: str, words: str) -> None:
    said = texts(DOORS[door](words))
    assert escape(words) in said
    for raw in ("://", "\n# ", "\n-# small", "<@42>", "<@discord:42>", "@everyone"):
        assert raw not in said.replace("\\<", "")


def test_the_bot_mentions_whom_it_means() -> None:
    said = texts(DOORS["consent"]("<@discord:42>"))
    assert "<@1>" in said
    assert "<@2>" in said
    assert r"\<@discord:42\>" in said


@dataclass
class Received:
    """A message as it comes back from Discord."""

    components: list[TextDisplay]


@pytest.mark.parametrize("words", NASTY)
def test_the_kept_instruction_comes_back_as_typed(words: str) -> None:
    view = DOORS["which picture"](words)
    [kept] = [item for item in view.walk_children() if item.id == INSTRUCTION_ID]
    assert isinstance(kept, ui.TextDisplay)
    received = Received([TextDisplay({"type": 10, "id": INSTRUCTION_ID, "content": kept.content})])
    assert kept_instruction(received) == " ".join(words.split())
