"""Begins again the turns that are unfinished in the database and that no task of this process owns."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.workflow.active_turn import ActiveTurns
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.turn import UNFINISHED, Turn, TurnState

log = logging.getLogger(__name__)


@dataclass(eq=False)
class TurnRecovery:
    """What a restart, a full disk or a long outage of a chat left on disk is processed after all.

    begin      gives a turn the task that owns it
    may_begin  whether it may do that now
    """

    store: SessionStore
    active: ActiveTurns
    begin: Callable[[Turn, EditSession], object]
    may_begin: Callable[[], bool]
    _resuming: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def resume(self, chat: str) -> int:
        """Resume unfinished turns of this chat that are not active, oldest first; how many."""
        async with self._resuming:
            return await self._begin_unfinished(chat) if self.may_begin() else 0

    async def resume_forever(self, chats: Callable[[], Iterable[str]], every_s: float) -> None:
        """Resume those of the chats that are connected by then, every so many seconds."""
        while True:
            await asyncio.sleep(every_s)
            for chat in chats():
                try:
                    await self.resume(chat)
                except Exception:
                    log.exception("unfinished turns of %s could not be resumed", chat)

    async def _begin_unfinished(self, chat: str) -> int:
        begun = 0
        for listed in await self.store.turns_in(*UNFINISHED):
            if listed.user.partition(":")[0] != chat or listed.id in self.active:
                continue
            session = await self.store.session(listed.session_id)
            turn = session.turns.get(listed.id)
            if turn is None or turn.state.is_final or turn.id in self.active:
                continue
            if turn.state is TurnState.RUNNING:  # its process ended; nothing of it was kept
                turn = await self.store.set_state(turn.id, TurnState.WAITING)
                session = session.update(turn)
            self.begin(turn, session)
            begun += 1
        return begun
