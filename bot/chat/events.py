"""What a person wants, as plain values: every chat translates its own gestures into these.

A chat makes an event, awaits `EditWorkflow.handle(event)` and shows the `Reply` it gets back; nothing here
knows which chat it was. Keys are opaque strings that begin with the chat's name:

    person   "discord:4711", "web:5f2c"       who asks; also the owner in the queue
    channel  "discord:99", "web:5f2c"         where; one talk about pictures runs per channel, thread or DM
    event_id "discord:m:1234", "web:e:77"     one per gesture; the same id handled twice does nothing twice
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from conversations.request_source import NO_SOURCE, RequestSource
from conversations.settings import NO_OVERRIDE, Grid, SettingsOverride
from conversations.store.user_data import Consent
from mgie_engine.strengths import Preset as Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who, where, and the proof that it happened once."""

    person: str
    channel: str
    event_id: str
    source: RequestSource = NO_SOURCE

    @property
    def chat(self) -> str:
        """The chat's name."""
        return self.person.partition(":")[0]

    @property
    def server(self) -> str | None:
        """The key of the server it happened in, whose moderators decide there; None where there are none."""
        return self.source.server

    @property
    def places(self) -> frozenset[str]:
        """The channel and, in a thread, the channel it hangs under."""
        parent = self.source.parent_channel
        return frozenset({self.channel} if parent is None else {self.channel, parent})

    @property
    def language(self) -> str:
        """The tag of the language to answer in: "language" of the source, English if there is none."""
        return self.source.language


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
    picture_owner: str | None = None  # the person who posted `picture`, if it was somebody else
    message: str | None = None  # key of the message that holds `picture`, so that replies to it find v0
    reply_to: str | None = None  # key of the replied-to message, ours or not
    from_turn: str | None = None  # a turn id, for a button or modal that belongs to a version
    from_version: str | None = None  # "v2" or "2", as typed into `from:`
    from_original: bool = False  # from the upload that the version meant comes from
    override: SettingsOverride = NO_OVERRIDE  # knobs for this one call
    preset: Preset | None = None  # both guidance scales for this one call; a knob in `wish` beats it
    reading: str | None = None  # a corrected expressive instruction, used in place of the model's own
    is_hidden: bool = False  # show its images behind spoilers


class Variation(StrEnum):
    """How to do a turn once more; always from the turn's parent, so pressing five times does not chain."""

    AGAIN = "again"  # same words, a new seed
    STRONGER = "stronger"  # same seed, more text guidance, a little less picture guidance
    SUBTLER = "subtler"
    CORRECTED = "corrected"  # same seed, with the person's `reading` in place of the model's own
    FROM_ORIGINAL = "from_original"  # every instruction on the way here, at once, from the uploaded picture


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationAsked(Event):
    """The same instruction once more, varied."""

    variation: Variation
    turn: str | None = None  # turn id; None means the person's head
    reading: str | None = None  # with CORRECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class GridAsked(Event):
    """A sheet of one edit under several guidance scales: of my head's instruction, or of `text` upon my head.

    Without a `grid`, one around the settings that hold; at most 3 × 3.
    """

    text: str = ""
    turn: str | None = None  # turn id; None means the person's head
    grid: Grid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareAsked(Event):
    """Show where two versions differ: one (my head if none is named), and another (else its parent)."""

    turn: str | None = None  # turn id
    version: str | None = None  # "v3"
    other: str | None = None  # "v1"


Work = EditAsked | VariationAsked | GridAsked  # what makes pictures


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsAsked(Event):
    """Change the settings of a scope; with nothing to change, show the panel.

    `reset` empties the scope first. `preset` sets both guidance scales; a knob in `wish` beats the preset.
    `forget` leaves knobs to the next scope again: ("seed",) is what people call a random seed. `lock_seed`
    keeps the seed of my head. `may_set_channel`: whether the chat lets this person set a whole channel.
    """

    override: SettingsOverride = NO_OVERRIDE
    preset: Preset | None = None
    scope: Scope = Scope.SESSION
    forget: tuple[str, ...] = ()
    lock_seed: bool = False
    reset: bool = False
    may_set_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked(Event):
    """Show the versions of this channel's session, or of the one a turn belongs to."""

    turn: str | None = None  # turn id


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAsked(Event):
    """Show one version again: by turn id, by version, or my head when neither is given."""

    turn: str | None = None
    version: str | None = None  # "v3", or a turn id as typed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAsked(Event):
    """Erase a version: its row and its picture; what was made from it stays.

    `may_delete_others`: whether the chat lets this person delete other people's (moderators).
    """

    turn: str
    may_delete_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAsked(Event):
    """Close my session to others, or open it again; of the named turn, else the one I am in here."""

    is_locked: bool
    turn: str | None = None


class Answer(StrEnum):
    """What the owner of a picture says to somebody who wants to edit it."""

    ONCE = "once"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswered(Event):
    """The owner answers the question `request` (Note.about)."""

    request: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAsked(Event):
    """From now on everybody (ALWAYS), nobody (NEVER), or who asks and is allowed (None) may edit mine."""

    everybody: Consent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyAsked(Event):
    """What do you keep about me?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked(Event):
    """Give me everything of mine, as zip files of at most `max_bytes` each."""

    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAsked(Event):
    """Erase everything of mine. Unless `is_confirmed`, the answer only says what would go, with a button."""

    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAsked(Event):
    """Show my own turns that wait or run, and how busy it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Event):
    """How do I use this?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAsked(Event):
    """Which model, which licence, which limits?"""


class ButtonAction(StrEnum):
    """What a button on a card does; chats put the value into the button's id."""

    CANCEL = "cancel"
    REFINE = "refine"  # needs words: the chat asks for them, then sends EditAsked(from_turn=…)
    UNDO = "undo"
    RETRY = "retry"
    SUBTLER = "subtler"
    STRONGER = "stronger"
    GO_TO = "go_to"
    COMPARE = "compare"
    CORRECT = "correct"  # needs words: the chat asks for a reading, then sends VariationAsked(CORRECTED)
    FROM_ORIGINAL = "from_original"
    LOCK = "lock"
    SHARE = "share"
    DELETE = "delete"
    ALLOW_ONCE = "allow_once"  # these three: with Note.about in place of a turn id
    ALLOW_ALWAYS = "allow_always"
    REFUSE = "refuse"
    FORGET_ME = "forget_me"  # with nothing in place of a turn id
    MY_EDITS = "my_edits"  # the same
    REPORT = "report"  # needs words: the chat asks what is wrong, then sends ReportAsked
    APPEAL = "appeal"  # with a mark in place of a turn id, or a turn id
    REMOVE = "remove"  # these and what follows: on what moderators see
    BLOCK_IMAGE = "bar"
    BLOCK = "block"
    DISMISS = "dismiss"
    UNBLOCK_IMAGE = "lift"  # with a mark in place of a turn id


NEEDS_WORDS = (ButtonAction.REFINE, ButtonAction.CORRECT, ButtonAction.REPORT)
DECISIONS = (
    ButtonAction.REMOVE,
    ButtonAction.BLOCK_IMAGE,
    ButtonAction.BLOCK,
    ButtonAction.DISMISS,
    ButtonAction.UNBLOCK_IMAGE,
)


class Origin(TypedDict):
    """What every event has, as keyword arguments for another."""

    person: str
    channel: str
    event_id: str
    source: RequestSource


def origin(event: Event) -> Origin:
    """Who, where and the proof of `event`, for an event that stands in its place."""
    return Origin(person=event.person, channel=event.channel, event_id=event.event_id, source=event.source)
