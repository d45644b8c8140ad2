"""Shows how turns stand and how they ended, each through the chat of its owner."""

import asyncio
import logging
from collections.abc import Sequence

from bot.chat.cards import state_of
from bot.chat.interface import Chat, ChatGone
from bot.ops.metrics import Metrics
from bot.workflow.active_turn import Run
from conversations.errors import NoSuchVersion
from conversations.session import TurnState
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore

log = logging.getLogger(__name__)

COURTESY_S = 20.0  # longest wait for a chat to show progress
PROMISE_S = 120.0  # longest wait for a chat to show a result; then again
_FINAL = {"done": TurnState.DONE, "failed": TurnState.FAILED, "cancelled": TurnState.CANCELLED}


class Showing:
    """The way from a run to the chats."""

    def __init__(self, store: SessionStore, metrics: Metrics, pauses_s: Sequence[float]) -> None:
        """`pauses_s`: waits before a result is shown again."""
        self._store = store
        self._metrics = metrics
        self._pauses_s = pauses_s
        self._chats: dict[str, Chat] = {}

    def connect(self, chat: Chat) -> None:
        """Show the turns of that chat's people through it."""
        self._chats[chat.name] = chat

    @property
    def is_connected(self) -> bool:
        """Whether every chat there is, and at least one, can show cards."""
        return bool(self._chats) and all(chat.is_connected for chat in self._chats.values())

    @property
    def chats(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._chats)

    async def courtesy(self, run: Run) -> None:
        """Show how the turn stands, if the chat can do it now."""
        async with run.showing:
            if run.known.is_set() or run.is_released:
                return
            key = None
            try:
                async with asyncio.timeout(COURTESY_S):
                    key = await self._chat(run).show(run.turn, run.card())
                if key is not None and key != run.turn.delivered:
                    run.turn = await self._store.update_turn(run.turn.id, delivered=key)
            except NoSuchVersion:
                await self.take_back(run, key)
            except Exception as error:
                log.warning("the card of turn %s could not be shown: %r", run.turn.id, error)

    async def deliver(self, run: Run) -> None:
        """Show how the turn ended, once, and close its row; NoSuchVersion when it was erased."""
        async with run.showing:
            run.session = await self._store.session(run.turn.session_id)
            run.turn = run.session.turn(run.turn.id)
            state = state_of(run.turn)
            key = await self._show_result(run)
            fields: TurnFields = {"delivered": key} if key else {}
            try:
                run.turn = await self._store.set_state(run.turn.id, _FINAL[state], **fields)
            except NoSuchVersion:
                await self.take_back(run, key)
                raise
        kind = "first" if run.session.turns[run.turn.parent_id or run.turn.id].is_upload else "follow_up"
        self._metrics.jobs.labels(str(state), kind).inc()

    async def _show_result(self, run: Run) -> str | None:
        """The delivered key; raises the chat's last error when it would not show the card."""
        chat = self._chat(run)
        for tried, pause in enumerate((0.0, *self._pauses_s)):
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(PROMISE_S):
                    if (tried or run.may_be_shown) and (key := await chat.already_delivered(run.turn)):
                        return key
                    return await chat.show(run.turn, run.card())
            except ChatGone as error:
                log.info("nobody can be shown turn %s: %s", run.turn.id, error)
                return None
            except Exception as error:
                if tried == len(self._pauses_s):
                    raise
                log.warning("turn %s could not be delivered, trying again: %r", run.turn.id, error)
        raise AssertionError("unreachable")

    async def take_back(self, run: Run, key: str | None = None) -> None:
        """Leave nothing of an erased turn in its chat, nor the message `key`; no matter if that fails now."""
        try:
            async with asyncio.timeout(COURTESY_S):
                await self._chat(run).take_back(run.turn, key)
        except Exception as error:
            log.warning("the card of the erased turn %s could not be taken back: %r", run.turn.id, error)

    def _chat(self, run: Run) -> Chat:
        return self._chats[run.turn.user.partition(":")[0]]
