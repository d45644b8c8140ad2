"""Who sees a finished result: a copy in the showcase by its author's consent, and spoilers afterwards."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.chat.cards import card_of
from bot.chat.events import ButtonAction, Event
from bot.chat.replies import Card, Erased, Note, Reply, ShownVersion, buttons
from bot.chat.sharing_events import HideAsked, ShareAsked, ShareEnded
from bot.ops.clocks import uptime_s
from bot.workflow.double_clicks import DOUBLE_CLICK_S
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context, Target
from conversations.messages import Message, verbatim
from conversations.session import EditSession
from conversations.session_grids import grids_with, picked_from
from conversations.store.session_store import SessionStore
from conversations.turn import Turn, TurnState

HIDDEN_AT_ONCE = 50  # newest results of a channel, as Discord takes few changes of old messages


@dataclass(frozen=True, slots=True)
class Sharing:
    """Shares results, takes copies back, and hides what is posted."""

    store: SessionStore
    runner: TurnRunner
    uptime: Callable[[], float] = uptime_s  # seconds, a clock that cannot be set
    _shared: dict[str, float] = field(
        default_factory=dict
    )  # by version: when; its copy may not be posted yet

    def handlers(self) -> dict[type[Event], Callable[[Context[Any]], Awaitable[Reply]]]:
        """Who answers which event."""
        return {ShareAsked: self.share, ShareEnded: self.take_back, HideAsked: self.hide}

    async def share(self, context: Context[ShareAsked]) -> Reply:
        """A copy for the showcase. Only the author can consent, by pressing the button.

        RequestRefused for a picture that was barred since, PictureMissing for one that was deleted.
        """
        target, to = context.target, context.settings.showcase
        if to is None:
            return Note(Message("no_showcase"))
        if target is None:
            return Note(Message("no_session"))
        is_adult = context.event.source.is_age_restricted or target.turn.source.is_age_restricted
        if objection := _objection(target, is_adult=is_adult):
            return Note(objection)
        turn = target.turn
        shown_in = await self.store.messages.of_turn(turn.id)
        if any(key.startswith(f"{to}:") for key in shown_in):
            return Note(Message("shared_already", place=verbatim(f"<#{to}>")))
        await self.runner.checks.refuse_barred(turn, await self.runner.pictures.file(turn.image or ""))
        note = Message("shared_in", version=turn.label, place=verbatim(f"<#{to}>"))
        if self._is_pressed_twice(turn.id):
            return Note(note)
        return ShownVersion(note, _copy(card_of(turn, target.session)), private=False, to=to)

    def _is_pressed_twice(self, turn: str) -> bool:
        now = self.uptime()
        is_twice = now - self._shared.get(turn, -DOUBLE_CLICK_S) < DOUBLE_CLICK_S
        for old in [known for known, at in self._shared.items() if now - at >= DOUBLE_CLICK_S]:
            del self._shared[old]
        self._shared[turn] = now
        return is_twice

    async def take_back(self, context: Context[ShareEnded]) -> Reply:
        """Delete a copy, for its author and for moderators; also one that a kill kept from being recorded."""
        asked = context.event
        turn = await self.store.turn(asked.turn)
        if turn.user != asked.user and not asked.is_moderator:
            return Note(Message("not_yours", version=turn.label))
        copies = await self.store.messages.of_turn(turn.id)
        is_other = asked.message not in copies and await self.store.find_by_message(asked.message)
        if is_other or asked.message == turn.delivered:
            return Note(Message("not_shared", version=turn.label))
        await self.store.messages.delete_later([asked.message])
        return Erased(Message("taken_back", version=turn.label), (asked.message,))

    async def hide(self, context: Context[HideAsked]) -> Reply:
        """Put a version, everything made from it and the grids that show it behind spoilers.

        What is in the showcase goes from it.
        """
        target = context.target
        if target is None:
            return Note(Message("no_session"))
        turns = _made_from(target.session, target.turn)
        gone = await self._copies_in(context.settings.showcase, turns)
        await self.store.messages.delete_later(gone)
        await self.runner.delivery.delete(gone)
        hidden = await self._hide(turn.id for turn in turns)
        return Note(Message("hidden_version", version=target.turn.label, count=hidden))

    async def hide_channel(self, channel: str) -> int:
        """Put the newest results that are posted in a channel behind spoilers; how many messages."""
        return await self._hide(await self.store.messages.openly_shown(channel, HIDDEN_AT_ONCE))

    async def _hide(self, turns: Iterable[str]) -> int:
        messages = await self.store.messages.hide_turns(tuple(turns))
        return await self.runner.delivery.hide(messages)

    async def _copies_in(self, showcase: str | None, turns: Iterable[Turn]) -> list[str]:
        found = [key for turn in turns for key in await self.store.messages.of_turn(turn.id)]
        return [key for key in found if showcase is not None and key.startswith(f"{showcase}:")]


def _objection(target: Target, *, is_adult: bool) -> Message | None:
    """Why this version is not shared, or None: it must begin with a picture of its author."""
    turn, session = target.turn, target.session
    if turn.is_upload or turn.grid is not None or turn.state is not TurnState.DONE or turn.image is None:
        return Message("showcase_no_result")
    if turn.is_hidden or is_adult:
        return Message("showcase_hidden")
    if session.owner != turn.user or session.root.lent_by is not None:
        return Message("showcase_lent")
    return None


def _copy(card: Card) -> Card:
    """The card of a copy: the result alone, with the button of its author."""
    plain = replace(card, before=None, parent=None, parent_key=None, parent_version=None, origin=None)
    return replace(plain, notes=(), buttons=buttons(ButtonAction.TAKE_BACK))


def _made_from(session: EditSession, turn: Turn) -> list[Turn]:
    """The turn, every turn below it, what was picked from grids among them, and the grids that show it."""
    found = [turn]
    for above in found:
        below = (*session.children_of(above), *picked_from(session, above))
        found += [made for made in below if made not in found]
    return [*found, *(grid for grid in grids_with(session, turn) if grid not in found)]
