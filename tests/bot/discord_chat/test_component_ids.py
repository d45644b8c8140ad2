"""Posted messages are recognised by the ids on them, whatever their texts say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.chat.button_actions import ButtonAction
from bot.chat.cards import card_of
from bot.discord_chat.ui.buttons import ButtonId, CardButton
from bot.discord_chat.ui.component_ids import is_final_card, is_open_card, turn_id_of
from bot.discord_chat.ui.layouts import card_layout
from bot.i18n.catalog import translator
from conversations.messages import Message
from conversations.session import EditSession
from conversations.settings import Grid
from conversations.turn import Turn, TurnState

UPLOAD = Turn("up00", "s", 0, None, "discord:1", state=TurnState.DONE, image="aa")
EDIT = Turn("k3f9", "s", 1, "up00", "discord:1", "make it darker")
GRID = replace(EDIT, grid=Grid((6.0, 9.0), (1.5,)))
OPEN = (TurnState.WAITING, TurnState.RUNNING)


@dataclass(frozen=True)
class Posted:
    """A message, as far as it is read."""

    components: Sequence[Any]


def posted(turn: Turn) -> Posted:
    session = EditSession("s", "c", "discord:1", turns={UPLOAD.id: UPLOAD, turn.id: turn})
    return Posted(card_layout(card_of(turn, session), (), None, translator("en")).children)


def posted_button(act: str, turn: str) -> Posted:
    return Posted([type("Button", (), {"custom_id": str(ButtonId(act, turn))})()])


@pytest.mark.parametrize("turn", [EDIT, GRID], ids=["edit", "grid"])
@pytest.mark.parametrize("state", OPEN)
def test_a_card_is_open_while_its_turn_is_queued_or_runs(turn: Turn, state: TurnState) -> None:
    card = posted(replace(turn, state=state))
    assert (turn_id_of(card), is_open_card(card, "k3f9"), is_final_card(card, "k3f9")) == (
        "k3f9",
        True,
        False,
    )


ENDS = {
    "done": {"image": "bb", "state": TurnState.DONE},
    "failed": {"error": Message("no_memory"), "state": TurnState.FAILED},
    "cancelled": {"state": TurnState.CANCELLED},
}


@pytest.mark.parametrize("turn", [EDIT, GRID], ids=["edit", "grid"])
@pytest.mark.parametrize("end", ENDS)
def test_a_card_is_final_once_its_turn_has_ended(turn: Turn, end: str) -> None:
    card = posted(replace(turn, **ENDS[end]))  # type: ignore[arg-type]
    assert (turn_id_of(card), is_open_card(card, "k3f9"), is_final_card(card, "k3f9")) == (
        "k3f9",
        False,
        True,
    )


def test_it_is_the_card_of_its_own_turn_only() -> None:
    card = posted(replace(EDIT, image="bb", state=TurnState.DONE))
    assert not is_final_card(card, "k3f")
    assert not is_final_card(card, "up00")


@pytest.mark.parametrize("act", ["choose", "remove", "block", "dismiss", "allow_once", "appeal"])
def test_a_question_or_report_about_a_turn_is_not_its_card(act: str) -> None:
    message = posted_button(act, "k3f9")
    assert not is_final_card(message, "k3f9")
    assert not is_open_card(message, "k3f9")


def test_messages_without_our_ids_show_nothing() -> None:
    assert turn_id_of(Posted([])) is None
    assert turn_id_of(posted_button("my_edits", "")) is None


def test_a_long_label_ends_between_words() -> None:
    reading = (
        "The medium red kite in the sky right of the middle is removed. The white cloud in the sky stays."
    )
    button = CardButton(ButtonId(ButtonAction.DO_OTHER, "k3f9"), reading)
    assert (
        button.item.label
        == "The medium red kite in the sky right of the middle is removed. The white cloud …"
    )
