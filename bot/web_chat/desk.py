"""Takes the page's gestures to the workflow as events, and brings back what the page should show.

Holds no edit logic and nothing about people: what a page shows comes from the workflow and the board each
time. Knows no gradio.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.events import (
    Act,
    EditAsked,
    ExportAsked,
    GridAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    Scope,
    SettingsAsked,
)
from bot.presses import pressed
from bot.replies import Files, History, Note, Panel, Reply, Say, Which
from bot.web_chat.board import Board
from bot.web_chat.samples import Sample
from bot.web_chat.shelf import Shelf
from bot.web_chat.view import PageView, Size
from bot.words import control
from bot.workflow import EditWorkflow
from conversations.errors import PictureMissing
from conversations.settings import RANGES, SettingsWish

NO_COOKIE = "This page knows you by a cookie. Allow cookies for this address, then reload."
CONNECTION_LOST = "The picture did not arrive. Is the bot still running? Try again."
SEED_RANGE = "Seed is a whole number from 0 to {high}, or empty for a new one each time."


@dataclass(frozen=True, slots=True)
class Knobs:
    """Where the knobs stand; a `seed` of None means a new one for each edit."""

    text_cfg: float
    image_cfg: float
    steps: int
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in the fields when somebody sends: `shown` is the reading the page had put there itself."""

    instruction: str
    expressive: str
    shown: str
    knobs: Knobs


@dataclass(frozen=True, slots=True)
class Sight:
    """What the page should show now.

    view    the versions and where this person stands
    mark    for `glance`: what this page has seen
    notice  a sentence, or ""
    taken   the instruction was taken: clear its field
    """

    view: PageView
    mark: str = ""
    notice: str = ""
    taken: bool = False

    @property
    def reading(self) -> str:
        """The expressive instruction of the version this person stands at."""
        current = self.view.current
        return (current.expressive or "") if current else ""


class Desk:
    """One for all pages. `defaults` are the model's; only knobs that differ from them are wished for."""

    def __init__(
        self,
        workflow: EditWorkflow,
        board: Board,
        shelf: Shelf,
        samples: Mapping[str, Sample],
        defaults: Knobs,
    ) -> None:
        self._workflow = workflow
        self._board = board
        self._shelf = shelf
        self._samples = samples
        self._defaults = defaults

    async def look(self, person: str | None, reply: Reply | None = None) -> Sight:
        """Everything as it stands, with what `reply` has to say."""
        if person is None:
            return Sight(PageView(), notice=NO_COOKIE)
        mark = self._board.mark(person)
        told = await self._workflow.handle(HistoryAsked(**self._who(person)))
        view = await self._view(person, told) if isinstance(told, History) else PageView()
        return Sight(view, mark, _sentence(reply))

    async def glance(self, person: str | None, mark: str) -> Sight | None:
        """Everything as it stands, or None when nothing is new since `mark`."""
        if person is None or self._board.mark(person) == mark:
            return None
        return await self.look(person)

    async def knobs(self, person: str | None) -> Knobs:
        """Where this person's knobs were left."""
        if person is None:
            return self._defaults
        panel = await self._workflow.handle(SettingsAsked(**self._who(person)))
        return _knobs_of(panel, self._defaults) if isinstance(panel, Panel) else self._defaults

    async def give(self, person: str | None, picture: bytes) -> str:
        """Begin with an uploaded picture; a sentence when it was refused, else ""."""
        if person is None:
            return NO_COOKIE
        reply = await self._workflow.handle(EditAsked(**self._who(person), picture=picture))
        return reply.text if isinstance(reply, Note) else ""

    async def say(self, person: str | None, said: Said) -> Sight:
        """Ask for the words; or, when only the reading was changed, for the last edit, so corrected."""
        before = await self.look(person)
        if person is None:
            return before
        await self._keep(person, said.knobs)
        words, base = said.instruction.strip(), before.view.head
        correction = said.expressive.strip()
        if correction in (said.shown.strip(), before.reading.strip()):
            correction = ""
        if correction and not words and before.view.current is not None:
            words, base = before.view.current.instruction, before.view.current.parent
        return await self._ask(person, words, from_turn=base, reading=correction or None)

    async def act(self, person: str | None, gesture: Mapping[str, Any]) -> Sight:
        """A pressed button, as the browser describes it; anything unknown only looks."""
        if person is None:
            return await self.look(person)
        act, turn, words = (str(gesture.get(name, "")) for name in ("act", "turn", "words"))
        match act:
            case "given":
                text = CONNECTION_LOST if gesture.get("lost") else str(gesture.get("text", ""))
                return await self.look(person, Note(text))
            case "say":
                return await self._ask(person, words, from_turn=(await self.look(person)).view.head)
            case "sample" if sample := self._samples.get(str(gesture.get("sample"))):
                return await self._ask(person, words, picture=await asyncio.to_thread(sample.path.read_bytes))
            case "undo" | "redo":
                reply = await self._workflow.handle(MoveAsked(**self._who(person), move=Move(act)))
            case "grid" if turn:
                reply = await self._workflow.handle(GridAsked(**self._who(person), turn=turn))
            case "cancel" | "retry" | "stronger" | "subtler" | "go_to" | "from_original" if turn:
                reply = await self._workflow.handle(pressed(Act(act), turn, **self._who(person), source={}))
            case _:
                reply = None
        return await self.look(person, reply)

    async def export(self, person: str | None) -> Path | str:
        """Everything of this person as a zip, alone in a folder that the caller deletes; or a sentence."""
        if person is None:
            return NO_COOKIE
        reply = await self._workflow.handle(ExportAsked(**self._who(person)))
        return reply.files[0] if isinstance(reply, Files) else _sentence(reply)

    # -- inside -------------------------------------------------------------------------------------------

    async def _ask(self, person: str, words: str, **asked: Any) -> Sight:
        reply = await self._workflow.handle(EditAsked(**self._who(person), text=words, **asked))
        sight = await self.look(person, reply)
        return replace(sight, taken=not isinstance(reply, Note | Which) or control(words) is not None)

    def _who(self, person: str) -> dict[str, Any]:
        """A browser is a person in a channel of its own."""
        return {"person": person, "channel": person, "event_id": f"web:e:{secrets.token_urlsafe(12)}"}

    async def _view(self, person: str, told: History) -> PageView:
        cards = tuple(self._board.latest(person, card) for card in told.cards)
        keys = {key for card in cards for key in (card.before, card.after) if key}
        sizes = await asyncio.to_thread(lambda: {key: self._size(key) for key in keys})
        return PageView(cards, told.head, sizes)

    def _size(self, key: str) -> Size:
        try:
            return self._shelf.size(key)
        except PictureMissing:
            return (1, 1)

    async def _keep(self, person: str, knobs: Knobs) -> None:
        """Wish for the knobs that differ from the model's own, for this person from now on."""
        if knobs == await self.knobs(person):
            return
        wished = {
            name: getattr(knobs, name)
            for name in Knobs.__slots__
            if getattr(knobs, name) != getattr(self._defaults, name)
        }
        await self._workflow.handle(
            SettingsAsked(**self._who(person), scope=Scope.ME, reset=True, wish=SettingsWish(**wished))
        )


def seed_of(text: str) -> int | None:
    """The seed typed into its field, None for a random one; ValueError with a sentence for anything else."""
    text = text.strip()
    low, high = RANGES["seed"]
    if text.lower() in ("", "random"):
        return None
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(SEED_RANGE.format(high=f"{high:.0f}"))
    return int(text)


def _knobs_of(panel: Panel, defaults: Knobs) -> Knobs:
    chosen: dict[str, Any] = {row.name: row.setting for row in panel.rows}
    return Knobs(**{name: chosen.get(name, getattr(defaults, name)) for name in Knobs.__slots__})


def _sentence(reply: Reply | None) -> str:
    """What a reply has to say on the page, which tells most by what it shows."""
    match reply:
        case Which():  # the page always names a version, so there is none
            return Say.NO_SESSION()
        case Note(text) | History(text) | Panel(text):
            return text
        case _:
            return ""
