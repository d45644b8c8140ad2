"""A turn erased while it is being shown leaves nothing behind in its chat."""

import asyncio

import pytest

from bot.chat.interface import ChatGone, ChatRefused
from bot.chat.replies import Card, CardState
from conversations.messages import Message
from conversations.turn import Turn
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, painting
from tests.support.workflow_room import PaperChat, WorkflowRoom, workflow_room


class SlowChat(PaperChat):
    """Posts every card as a message of its own; those of the state `slow` only when `go` is set."""

    def __init__(self, slow: CardState | None = None) -> None:
        super().__init__()
        self._slow = slow
        self.go, self.took_back = asyncio.Event(), asyncio.Event()

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Write the card down, and wait with its key."""
        await super().show(turn, card)
        if card.state is self._slow:
            await self.go.wait()
        return f"m-{turn.id}-{card.state}"

    async def retract(self, turn: Turn, key: str | None) -> None:
        """Note it, and say so if there was a message."""
        await super().retract(turn, key)
        if key:
            self.took_back.set()


async def erased_while_shown(
    d: WorkflowRoom, chat: SlowChat, state: CardState
) -> tuple[str, tuple[str, ...]]:
    """Ask, and withdraw while that state is being shown: the turn, and the messages the chat is to delete."""
    asked = d.asked("make it red", picture=a_picture())
    turn = (await d.workflow.handle(asked)).card.turn_id
    await chat.saw(lambda card: card.state is state)
    deleted = await d.workflow.message_deleted(asked.event_id)
    chat.go.set()
    await d.idle()
    return turn, deleted


async def test_a_first_card_that_came_too_late_is_taken_back(tmp_path):
    chat = SlowChat(CardState.QUEUED)
    async with workflow_room(tmp_path, ScriptedEditor(ready=False), chat) as d:
        turn, deleted = await erased_while_shown(d, chat, CardState.QUEUED)
        async with asyncio.timeout(5):
            await chat.took_back.wait()
    assert deleted == ()
    assert (turn, f"m-{turn}-queued") in chat.taken_back


async def test_a_result_that_came_too_late_is_taken_back(tmp_path):
    chat = SlowChat(CardState.DONE)
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        turn, deleted = await erased_while_shown(d, chat, CardState.DONE)
    assert f"m-{turn}-done" not in deleted
    assert (turn, f"m-{turn}-done") in chat.taken_back


async def test_a_chat_that_cannot_take_back_harms_nobody(tmp_path, monkeypatch):
    async def broken(turn, key):
        raise ConnectionError("503")

    chat = SlowChat(CardState.DONE)
    monkeypatch.setattr(chat, "retract", broken)
    async with workflow_room(tmp_path, EchoEditor(), chat) as d:
        await erased_while_shown(d, chat, CardState.DONE)
        await d.accepted("now blue", picture=a_picture())
        await d.idle()
        assert len(chat.posted) == 2


@pytest.mark.parametrize("is_erased", [True, False])
async def test_a_turn_erased_between_two_cards_is_forgotten(tmp_path, is_erased):
    editor, chat = ScriptedEditor(), SlowChat()
    async with workflow_room(tmp_path, editor, chat) as d:
        asked = d.asked("make it red", picture=a_picture())
        turn = (await d.workflow.handle(asked)).card.turn_id
        edit = await editor.started()
        await chat.saw(lambda card: card.state is CardState.RUNNING)
        if is_erased:
            await d.workflow.message_deleted(asked.event_id)
        else:
            edit.finish()
        await d.idle()
        await d.accepted("now blue", picture=a_picture())
        (await editor.started()).report(painting(1))
        await chat.saw(lambda card: card.turn_id != turn and card.fraction > 0)
    assert chat.taken_back == ([(turn, None)] if is_erased else [])


class RefusingChat(PaperChat):
    """Takes no result of one instruction."""

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Refuse it, else write the card down."""
        if card.state is CardState.DONE and card.instruction == "make it red":
            raise ChatRefused(Message("discord_found_explicit"))
        return await super().show(turn, card)


async def test_an_edit_queued_on_a_result_that_is_refused_says_why_it_is_not_made(tmp_path):
    editor, chat = ScriptedEditor(), RefusingChat()
    async with workflow_room(tmp_path, editor, chat) as d:
        first = await d.accepted("make it red", picture=a_picture())
        other = await d.accepted("make it gold", "ben", picture=a_picture())
        follow_up = await d.accepted("make it blue")
        (await editor.started()).finish()
        await chat.saw(lambda card: card.turn_id == first.card.turn_id and card.state is CardState.FAILED)
        (await editor.started()).finish()
        await d.idle()
        [card] = chat.finals(follow_up.card.turn_id)
        assert card.status is not None
        assert card.status.code == "parent_failed"
        assert [card.state for card in chat.finals(other.card.turn_id)] == [CardState.DONE]


class CountingChat(PaperChat):
    """Shows no card before the end, and counts how often it was asked to."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error
        self.asked = 0

    async def show(self, turn: Turn, card: Card) -> str | None:
        """Refuse a card that is not final, else write it down."""
        if card.state.is_final:
            return await super().show(turn, card)
        self.asked += 1
        raise self._error


@pytest.mark.parametrize(
    "error", [ChatGone("the channel was deleted"), ChatRefused(Message("discord_found_explicit"))]
)
async def test_a_card_that_never_can_be_shown_is_offered_once_and_the_result_is_tried(
    tmp_path, monkeypatch, error
):
    monkeypatch.setattr("bot.workflow.delivery.CARD_RETRY_S", 0.0)
    editor, chat = ScriptedEditor(), CountingChat(error)
    async with workflow_room(tmp_path, editor, chat) as d:
        accepted = await d.accepted("make it red", picture=a_picture())
        edit = await editor.started()
        for step in range(1, 4):
            edit.report(painting(step))
            await asyncio.sleep(0)
        edit.finish()
        await d.idle()
        assert chat.asked == 1
        assert [card.state for card in chat.finals(accepted.card.turn_id)] == [CardState.DONE]
