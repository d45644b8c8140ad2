"""One unfinished turn while this process works on it. Nothing here outlives the process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from bot.chat.cards import card_of
from bot.chat.replies import Card
from bot.i18n.catalog import speaking
from conversations.session import EditSession, Turn
from mgie_engine.edits import EditResult, Progress
from mgie_engine.serving.job import Place


class Handle(Protocol):
    """What is in line for a turn: an edit (EditHandle) or a sheet of them."""

    def place(self) -> Place: ...
    def events(self) -> AsyncIterator[Progress]: ...
    async def result(self) -> EditResult: ...
    def cancel(self) -> None: ...


@dataclass(eq=False, slots=True)
class ActiveTurn:
    """One unfinished turn, here and now."""

    turn: Turn
    session: EditSession
    may_be_shown: bool = False  # its end may have been shown before the last crash
    handle: Handle | None = None  # once in line
    place: Place | None = None  # as last shown
    progress: Progress | None = None  # the latest
    has_begun: bool = False
    advice: tuple[str, ...] = ()  # why auto chose its strengths
    is_cancelled: bool = False
    is_released: bool = False  # given back to the disk: to run at the next start
    parent_changed: asyncio.Event = field(
        default_factory=asyncio.Event
    )  # a waiting dependent should look again
    enqueued: asyncio.Event = field(default_factory=asyncio.Event)  # or never will be
    finished: asyncio.Event = field(default_factory=asyncio.Event)  # how it ended is on disk
    delivery: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_waiting(self) -> bool:
        """Whether it still stands in line."""
        return not self.has_begun and not self.finished.is_set()

    @property
    def language(self) -> str:
        """The tag of the language its owner asked in."""
        return self.turn.source.language

    def card(self) -> Card:
        """Its card now."""
        with speaking(self.language):
            return card_of(self.turn, self.session, self.place, self.progress)

    def stop(self) -> None:
        """Leave the line or the engine, and look up."""
        if self.handle is not None:
            self.handle.cancel()
        self.parent_changed.set()
