"""Unfinished turns while this process works on them. Nothing here outlives the process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.chat.cards import card_of
from bot.chat.replies import Card
from conversations.errors import PictureMissing
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.session import EditSession
from conversations.turn import Turn
from mgie_engine.edits import EditResult, Progress
from mgie_engine.errors import RequestRefused
from mgie_engine.serving.job import Place


class Handle(Protocol):
    """What is queued for a turn: an edit (EditHandle) or a grid of them."""

    def place(self) -> Place: ...
    def events(self) -> AsyncIterator[Progress]: ...
    async def result(self) -> EditResult: ...
    def cancel(self) -> None: ...


@dataclass(eq=False, slots=True)
class ActiveTurn:
    """The state in memory of one unfinished turn."""

    turn: Turn
    session: EditSession
    may_be_shown: bool = False  # its end may have been shown before the last crash
    handle: Handle | None = None  # once queued
    place: Place | None = None  # as last shown
    progress: Progress | None = None  # the latest
    has_begun: bool = False
    attempt: int | None = None  # the last one that this process began
    advice: tuple[Message, ...] = ()  # why auto chose its strengths
    is_cancelled: bool = False
    is_unseen: bool = False  # its chat shows nothing of it any more, unless its result
    is_released: bool = False  # given back to the disk: to run at the next start
    parent_changed: asyncio.Event = field(default_factory=asyncio.Event)  # a turn that waits re-checks it
    enqueued: asyncio.Event = field(default_factory=asyncio.Event)  # set too when it never will be
    finished: asyncio.Event = field(default_factory=asyncio.Event)  # how it ended is on disk
    delivery: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_waiting(self) -> bool:
        """Whether it is not yet running."""
        return not self.has_begun and not self.finished.is_set()

    @property
    def language(self) -> str:
        """The tag of the language its user asked in."""
        return self.turn.source.language

    def card(self) -> Card:
        """Its card now."""
        return card_of(self.turn, self.session, self.place, self.progress)

    def moved_up(self) -> bool:
        """Take over its place in the queue if that is better now; a place shown never grows."""
        if not self.is_waiting or self.handle is None or self.place is None:
            return False
        place = self.handle.place()
        if not 0 < place.position < self.place.position:
            return False
        self.place = replace(place, of=max(place.position, place.of))
        return True

    def stop(self) -> None:
        """Leave the queue or the engine, and wake the task that owns the turn."""
        if self.handle is not None:
            self.handle.cancel()
        self.parent_changed.set()


async def files_of(turn: Turn, parent: Turn, pictures: PictureViews) -> tuple[bytes, bytes | None]:
    """The picture that a turn starts from, and its mask; RequestRefused if one of them was deleted."""
    try:
        image = await pictures.file(parent.image or "")
    except PictureMissing:
        message = Message("picture_gone", parent=parent.label)
        raise RequestRefused("the picture it starts from was deleted", message) from None
    try:
        return image, await pictures.file(turn.mask) if turn.mask else None
    except PictureMissing:
        raise RequestRefused("its mask was deleted", Message("mask_gone")) from None


class ActiveTurns:
    """The unfinished turns that this process works on, oldest first."""

    def __init__(self) -> None:
        self._by_id: dict[str, ActiveTurn] = {}

    def __iter__(self) -> Iterator[ActiveTurn]:
        return iter(list(self._by_id.values()))

    def __contains__(self, turn_id: str) -> bool:
        return turn_id in self._by_id

    def get(self, turn_id: str) -> ActiveTurn | None:
        """The turn of that id, if it is active."""
        return self._by_id.get(turn_id)

    def add(self, active: ActiveTurn) -> None:
        """Work on one more turn."""
        self._by_id[active.turn.id] = active

    def finish(self, active: ActiveTurn) -> None:
        """How it ended is known: wake those who wait for that."""
        active.finished.set()
        active.enqueued.set()
        for other in self:
            if other.turn.parent_id == active.turn.id:
                other.parent_changed.set()

    def remove(self, active: ActiveTurn) -> None:
        """Nothing more will be done for it here."""
        del self._by_id[active.turn.id]
        self.finish(active)

    def is_awaited_by_others(self, turn_id: str, user: str) -> bool:
        """Whether an edit of another user waits for that turn, or for one that waits for it."""
        return any(
            active.turn.user != user or self.is_awaited_by_others(active.turn.id, user)
            for active in self
            if active.turn.parent_id == turn_id and not active.finished.is_set()
        )

    def requested_by(self, event_id: str) -> ActiveTurn | None:
        """The turn that this chat event asked for; or a later one of its message, whose id continues it."""
        begins = f"{event_id}:"
        return next((active for active in self if f"{active.turn.event_id}:".startswith(begins)), None)

    def of_user(self, user: str) -> list[ActiveTurn]:
        """The user's turns whose end is not known yet."""
        return [active for active in self if active.turn.user == user and not active.finished.is_set()]

    def in_server(self, server: str) -> list[ActiveTurn]:
        """The turns asked for in a server whose end is not known yet."""
        there = (active for active in self if active.turn.source.server == server)
        return [active for active in there if not active.finished.is_set()]

    def waiting(self, user: str | None = None) -> int:
        """How many turns wait: of a user, or in all."""
        return sum(active.is_waiting for active in self if user in (None, active.turn.user))
