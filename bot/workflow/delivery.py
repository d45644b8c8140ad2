"""Shows progress and results of turns, each through the chat of its user."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from bot.chat.cards import state_of
from bot.chat.interface import Chat, ChatGone, ChatRefused
from bot.chat.replies import Note
from bot.ops.metrics import Metrics
from bot.workflow.active_turn import ActiveTurn
from conversations.errors import NoSuchVersion
from conversations.request_source import RequestSource
from conversations.store.serialization import TurnFields
from conversations.store.session_store import SessionStore
from conversations.turn import TurnState
from mgie_engine.edits import Progress

log = logging.getLogger(__name__)

PROGRESS_TIMEOUT_S = 20.0  # longest wait for a chat to show progress
CARD_RETRY_S = 1.0  # between two offers of a card that the chat left out
RESULT_TIMEOUT_S = 120.0  # longest wait for a chat to show a result; then again
_FINAL = {"done": TurnState.DONE, "failed": TurnState.FAILED, "cancelled": TurnState.CANCELLED}


class Delivery:
    """Delivers cards to the chats."""

    def __init__(
        self,
        store: SessionStore,
        metrics: Metrics,
        pauses_s: Sequence[float],
        shown: Callable[[Progress], Progress],
    ) -> None:
        """`pauses_s`: waits before the retries of a result. `shown`: what users may see of progress."""
        self._shown = shown
        self._store = store
        self._metrics = metrics
        self._pauses_s = pauses_s
        self._chats: dict[str, Chat] = {}

    def connect(self, chat: Chat) -> None:
        """Show the turns of that chat's users through it."""
        self._chats[chat.name] = chat

    @property
    def is_connected(self) -> bool:
        """Whether every chat there is, and at least one, can show cards."""
        return bool(self._chats) and all(chat.is_connected for chat in self._chats.values())

    @property
    def chats(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._chats)

    async def update_progress(self, active: ActiveTurn) -> None:
        """Show the state of the turn, if the chat can do it now; once it never can, not again."""
        async with active.delivery:
            if active.finished.is_set() or active.is_released or active.is_unseen:
                return
            key = None
            try:
                async with asyncio.timeout(PROGRESS_TIMEOUT_S):
                    key = await self._chat(active).show(active.turn, active.card())
                if key is not None and key != active.turn.delivered:
                    active.turn = await self._store.update_turn(active.turn.id, delivered=key)
            except NoSuchVersion:
                await self.retract(active, key)
            except (ChatGone, ChatRefused) as error:
                active.is_unseen = True
                log.info("the card of turn %s will not be shown: %s", active.turn.id, error)
            except Exception as error:
                log.warning("the card of turn %s could not be shown: %r", active.turn.id, error)

    async def follow(self, active: ActiveTurn) -> None:
        """Show the queued card, then progress as it comes."""
        await asyncio.gather(self._offer_card(active), self._show_progress(active))

    async def _offer_card(self, active: ActiveTurn) -> None:
        """Offer the card to the chat until it is shown: the chat may leave it out at first."""
        while active.turn.delivered is None and not active.finished.is_set():
            await self.update_progress(active)
            if active.is_unseen:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(CARD_RETRY_S):
                    await active.finished.wait()

    async def _show_progress(self, active: ActiveTurn) -> None:
        await active.enqueued.wait()
        if active.handle is not None:
            async for progress in active.handle.events():
                active.progress = self._shown(progress)
                await self.update_progress(active)

    async def deliver(self, active: ActiveTurn) -> None:
        """Show the outcome of the turn once, and store that; NoSuchVersion when it was erased."""
        async with active.delivery:
            active.session = await self._store.session(active.turn.session_id)
            active.turn = active.session.turn(active.turn.id)
            key = await self._show_result(active)
            state = state_of(active.turn)
            fields: TurnFields = {"delivered": key} if key else {}
            try:
                active.turn = await self._store.set_state(active.turn.id, _FINAL[state], **fields)
            except NoSuchVersion:
                await self.retract(active, key)
                raise
        kind = (
            "first"
            if active.session.turns[active.turn.parent_id or active.turn.id].is_upload
            else "follow_up"
        )
        self._metrics.jobs.labels(str(state), kind).inc()

    async def _show_result(self, active: ActiveTurn) -> str | None:
        """The delivered key. A result that the chat refuses for good becomes a failure, which is shown."""
        try:
            return await self._show_with_retries(active)
        except ChatRefused as refusal:
            log.warning("turn %s: the chat refuses its card: %s", active.turn.id, refusal)
            if active.turn.image is None:
                return None
            fields: TurnFields = {"image": None, "error": refusal.message}
            active.turn = await self._store.update_turn(active.turn.id, **fields)
            active.session = active.session.update(active.turn)
            return await self._show_result(active)

    async def _show_with_retries(self, active: ActiveTurn) -> str | None:
        """The delivered key; raises the chat's last error when it would not show the card."""
        for tried, pause in enumerate((0.0, *self._pauses_s)):
            await asyncio.sleep(pause)
            chat = self._chat(active)  # a chat may have reconnected meanwhile
            try:
                async with asyncio.timeout(RESULT_TIMEOUT_S):
                    if (tried or active.may_be_shown) and (key := await chat.already_delivered(active.turn)):
                        return key
                    return await chat.show(active.turn, active.card())
            except ChatRefused:
                raise
            except ChatGone as error:
                log.info("turn %s can no longer be shown: %s", active.turn.id, error)
                return None
            except Exception as error:
                if tried == len(self._pauses_s):
                    raise
                log.warning("turn %s could not be delivered, trying again: %r", active.turn.id, error)
        raise AssertionError("unreachable")

    async def retract(self, active: ActiveTurn, key: str | None = None) -> None:
        """Leave nothing of an erased turn in its chat, nor the message `key`; no matter if that fails now."""
        try:
            async with asyncio.timeout(PROGRESS_TIMEOUT_S):
                await self._chat(active).retract(active.turn, key)
        except Exception as error:
            log.warning("the card of the erased turn %s could not be taken back: %r", active.turn.id, error)

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool = False) -> str | None:
        """Post a note to `note.asks`; see `Chat.post`. None also when that fails now.

        ChatGone or ChatRefused when it never can be posted.
        """
        chat = self._chats.get((note.asks or "").partition(":")[0])
        if chat is None:
            raise ChatGone(f"no chat of {note.asks}")
        try:
            async with asyncio.timeout(PROGRESS_TIMEOUT_S):
                return await chat.post(source, note, nonce, again=again)
        except (ChatGone, ChatRefused):
            raise
        except Exception as error:
            log.warning("the note %s could not be posted: %r", nonce, error)
            return None

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete posted messages; no matter if that fails now, as they are on the list of deletions."""
        for name, chat in self._chats.items():
            try:
                async with asyncio.timeout(PROGRESS_TIMEOUT_S):
                    await chat.delete([key for key in keys if key.startswith(f"{name}:")])
            except Exception as error:
                log.warning("messages could not be deleted: %r", error)

    async def hide(self, keys: Sequence[str]) -> int:
        """Put the pictures of posted messages behind spoilers, as far as that is possible now; how many."""
        hidden = 0
        for name, chat in self._chats.items():
            try:
                hidden += await chat.hide([key for key in keys if key.startswith(f"{name}:")])
            except Exception as error:
                log.warning("messages could not be changed: %r", error)
        return hidden

    @property
    def servers(self) -> tuple[str, ...]:
        """The keys of the servers that the chats are in."""
        return tuple(server for chat in self._chats.values() for server in chat.servers)

    async def announce(self, server: str, channel: str | None, text: str, nonce: str) -> bool:
        """Post an announcement; see `Chat.announce`. False if that fails now."""
        chat = self._chats[server.partition(":")[0]]
        try:
            async with asyncio.timeout(PROGRESS_TIMEOUT_S):
                await chat.announce(server, channel, text, nonce)
        except Exception as error:
            log.warning("the announcement could not be posted in %s: %r", server, error)
            return False
        return True

    def _chat(self, active: ActiveTurn) -> Chat:
        return self._chats[active.turn.user.partition(":")[0]]
