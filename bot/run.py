"""One unfinished turn while this process works on it. Nothing here outlives the process."""

import asyncio
from dataclasses import dataclass, field

from bot.cards import card_of
from bot.replies import Card
from conversations.session import EditSession, Turn
from mgie_engine.edits import Progress
from mgie_engine.serving.job import Place
from mgie_engine.serving.service import EditHandle


@dataclass(eq=False, slots=True)
class Run:
    """One unfinished turn, here and now."""

    turn: Turn
    session: EditSession
    may_be_shown: bool = False  # its end may have been shown before the last crash
    handle: EditHandle | None = None  # once in line
    place: Place | None = None  # as last shown
    progress: Progress | None = None  # the latest
    has_begun: bool = False
    is_cancelled: bool = False
    is_released: bool = False  # given back to the disk: to run at the next start
    look: asyncio.Event = field(default_factory=asyncio.Event)  # a waiting dependent should look again
    in_line: asyncio.Event = field(default_factory=asyncio.Event)  # or never will be
    known: asyncio.Event = field(default_factory=asyncio.Event)  # how it ended is on disk
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_waiting(self) -> bool:
        """Whether it still stands in line."""
        return not self.has_begun and not self.known.is_set()

    def card(self) -> Card:
        """Its card now."""
        return card_of(self.turn, self.session, self.place, self.progress)
