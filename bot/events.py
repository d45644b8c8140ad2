"""What a person wants, as plain values: every chat translates its own gestures into these.

A chat makes an event, awaits `EditWorkflow.handle(event)` and shows the `Reply` it gets back; nothing here
knows which chat it was. Keys are opaque strings that begin with the chat's name:

    person   "discord:4711", "web:5f2c"       who asks; also the owner in the queue
    channel  "discord:99", "web:5f2c"         where; one talk about pictures runs per channel, thread or DM
    event_id "discord:m:1234", "web:e:77"     one per gesture; the same id handled twice does nothing twice
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict

from conversations.settings import SettingsWish

Json = Mapping[str, Any]
NOTHING_WISHED = SettingsWish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who, where, and the proof that it happened once."""

    person: str
    channel: str
    event_id: str
    source: Json = field(default_factory=dict)  # JSON the chat needs to answer after a restart (message ids…)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditAsked(Event):
    """A picture, words, or both. Words alone refine; a picture alone begins and waits for words.

    `text` may be a control word ("undo", "back to v2", "stop"); the workflow notices. Which picture is meant
    is the first of these that is given: `from_turn` or `reply_to` (if that message shows a version of ours),
    `picture`, `from_version`, the person's own head in the channel.
    """

    text: str = ""
    picture: bytes | None = (
        None  # the file as it was uploaded, any format; checked and cleaned by the workflow
    )
    message: str | None = None  # key of the message that holds `picture`, so that replies to it find v0
    reply_to: str | None = None  # key of the replied-to message, ours or not
    from_turn: str | None = None  # a turn id, for a button or modal that belongs to a version
    from_version: str | None = None  # "v2" or "2", as typed into `from:`
    wish: SettingsWish = NOTHING_WISHED  # knobs for this one call
    reading: str | None = None  # a corrected expressive instruction, used in place of the model's own


class Variation(StrEnum):
    """How to do a turn once more; always from the turn's parent, so pressing five times does not chain."""

    AGAIN = "again"  # same words, a new seed
    STRONGER = "stronger"  # same seed, more text guidance, a little less picture guidance
    SUBTLER = "subtler"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationAsked(Event):
    """The same instruction once more, varied."""

    variation: Variation
    turn: str | None = None  # turn id; None means the person's head


class Move(StrEnum):
    """Moves of a person's head through the versions; nothing is ever deleted."""

    UNDO = "undo"
    REDO = "redo"
    GO_TO = "go_to"
    START_OVER = "start_over"  # back to the picture this line of versions began with
    NEW = "new"  # forget the picture here: the next words need a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAsked(Event):
    """Move my head. GO_TO needs a target; UNDO may name the turn whose button was pressed."""

    move: Move
    turn: str | None = None  # turn id
    version: str | None = None  # "v2" or "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(Event):
    """Stop a turn that waits or runs; None means my newest one in this channel.

    `may_cancel_others`: whether the chat lets this person cancel other people's (moderators).
    """

    turn: str | None = None
    may_cancel_others: bool = False


class Scope(StrEnum):
    """Where a wish is kept; a call beats a session beats a person ("me") beats a channel."""

    SESSION = "session"
    ME = "me"
    CHANNEL = "channel"


class Preset(StrEnum):
    """Named pairs of guidance scales."""

    FAITHFUL = "faithful"
    BALANCED = "balanced"
    BOLD = "bold"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsAsked(Event):
    """Change the settings of a scope; with nothing to change, show the panel.

    `reset` empties the scope first. `preset` sets both guidance scales; a knob in `wish` beats the preset.
    `forget` leaves knobs to the next scope again: ("seed",) is what people call a random seed. `lock_seed`
    keeps the seed of my head. `may_set_channel`: whether the chat lets this person set a whole channel.
    """

    wish: SettingsWish = NOTHING_WISHED
    preset: Preset | None = None
    scope: Scope = Scope.SESSION
    forget: tuple[str, ...] = ()
    lock_seed: bool = False
    reset: bool = False
    may_set_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked(Event):
    """Show the versions of this channel's session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAsked(Event):
    """Show one version again: by turn id, by version, or my head when neither is given."""

    turn: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAsked(Event):
    """Show my own turns that wait or run, and how busy it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Event):
    """How do I use this?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAsked(Event):
    """Which model, which licence, which limits?"""


class Act(StrEnum):
    """What a button on a card does; chats put the value into the button's id."""

    CANCEL = "cancel"
    REFINE = "refine"  # needs words: the chat asks for them, then sends EditAsked(from_turn=…)
    UNDO = "undo"
    RETRY = "retry"
    SUBTLER = "subtler"
    STRONGER = "stronger"
    GO_TO = "go_to"


class Origin(TypedDict):
    """What every event has, as keyword arguments for another."""

    person: str
    channel: str
    event_id: str
    source: Json


def origin(event: Event) -> Origin:
    """Who, where and the proof of `event`, for an event that stands in its place."""
    return Origin(person=event.person, channel=event.channel, event_id=event.event_id, source=event.source)


def pressed(act: Act, turn: str, *, person: str, channel: str, event_id: str, source: Json) -> Event:
    """The event of a pressed button; REFINE has none of its own and raises ValueError."""
    who = Origin(person=person, channel=channel, event_id=event_id, source=source)
    match act:
        case Act.CANCEL:
            return CancelAsked(**who, turn=turn)
        case Act.UNDO:
            return MoveAsked(**who, turn=turn, move=Move.UNDO)
        case Act.GO_TO:
            return MoveAsked(**who, turn=turn, move=Move.GO_TO)
        case Act.RETRY:
            return VariationAsked(**who, turn=turn, variation=Variation.AGAIN)
        case Act.STRONGER:
            return VariationAsked(**who, turn=turn, variation=Variation.STRONGER)
        case Act.SUBTLER:
            return VariationAsked(**who, turn=turn, variation=Variation.SUBTLER)
        case Act.REFINE:
            raise ValueError("Refine needs words; ask for them and send EditAsked(from_turn=…)")
