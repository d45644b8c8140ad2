"""What a person wants, as plain values: every chat translates its own gestures into these.

A chat makes an event, awaits `EditWorkflow.handle(event)` and shows the `Reply` it gets back; nothing here
knows which chat it was. Keys are opaque strings that begin with the chat's name:

    person   "discord:4711", "web:5f2c"       who asks; also the owner in the queue
    channel  "discord:99", "web:5f2c"         where; one talk about pictures runs per channel, thread or DM
    event_id "discord:m:1234", "web:e:77"     one per gesture; the same id handled twice does nothing twice
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import ClassVar, TypedDict

from conversations.request_source import NO_SOURCE, RequestSource
from conversations.settings import NO_OVERRIDE, Grid, SettingsOverride
from conversations.store.user_data import Consent
from mgie_engine.strengths import Preset as Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who, where, and the proof that it happened once.

    `is_moderator`: whether the chat lets this person decide about what others asked for in this channel.
    """

    read_only: ClassVar[bool] = False  # changes nothing, may be handled twice and waits for no other event

    person: str
    channel: str
    event_id: str
    source: RequestSource = NO_SOURCE
    is_moderator: bool = False

    @property
    def chat(self) -> str:
        """The chat's name."""
        return self.person.partition(":")[0]


class Implied(Enum):
    """Which version an event is about when it names none."""

    CURRENT = auto()  # the user's current version in the channel
    RECENT = auto()  # the same, if they moved there or it was finished lately
    REQUESTED = auto()  # the version that the user asked for last or moved to, even if it failed
    SESSION = auto()  # where the user stands in their session, else in the newest one shown in the channel
    NONE = auto()  # it must name one


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEvent(Event):
    """An event about one version, which `bot.workflow.targets` finds before the event is handled.

    It is the first of these that is given and found: `turn`, `reply_to`, `version`, what `implied` says.
    """

    implied: ClassVar[Implied] = Implied.CURRENT

    turn: str | None = None  # turn id
    reply_to: str | None = None  # key of the message replied to, ours or not
    version: str | None = None  # "v2", "2" or a turn id, as typed


@dataclass(frozen=True, slots=True, kw_only=True)
class EditAsked(VersionEvent):
    """A picture, words, or both. Words alone refine; a picture alone begins and waits for words.

    `text` may be a text command ("undo", "back to v2", "stop"). The edit starts from the first of these that
    is given: `turn` or `reply_to` (if that message shows a version), `picture`, `version`, the user's current
    version in the channel.
    """

    implied: ClassVar[Implied] = Implied.RECENT

    text: str = ""
    picture: bytes | None = (
        None  # the file as it was uploaded, any format; checked and cleaned by the workflow
    )
    picture_owner: str | None = None  # the person who posted `picture`, if it was somebody else
    message: str | None = None  # key of the message that holds `picture`, so that replies to it find v0
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
class VariationAsked(VersionEvent):
    """The same instruction once more, varied."""

    implied: ClassVar[Implied] = Implied.REQUESTED

    variation: Variation
    reading: str | None = None  # with CORRECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class GridAsked(VersionEvent):
    """A sheet of one edit under several guidance scales: of my head's instruction, or of `text` upon my head.

    Without a `grid`, one around the settings that hold; at most 3 × 3.
    """

    implied: ClassVar[Implied] = Implied.REQUESTED

    text: str = ""
    grid: Grid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareAsked(VersionEvent):
    """Show where two versions differ: one (my head if none is named), and another (else its parent)."""

    read_only: ClassVar[bool] = True

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
class MoveAsked(VersionEvent):
    """Move my head. GO_TO needs a target; UNDO may name the turn whose button was pressed."""

    move: Move


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(VersionEvent):
    """Stop a turn that waits or runs, in whichever channel; without one, my newest in this channel."""

    implied: ClassVar[Implied] = Implied.NONE


class Scope(StrEnum):
    """Where a wish is kept; a call beats a session beats a person ("me") beats a channel."""

    SESSION = "session"
    ME = "me"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsAsked(VersionEvent):
    """Change the settings of a scope; with nothing to change, show the panel.

    `reset` empties the scope first. `preset` sets both guidance scales; a knob in `wish` beats the preset.
    `forget` leaves settings to the next scope again: ("seed",) is what people call a random seed. `lock_seed`
    keeps the seed of my current version. Only moderators change the settings of a channel.
    """

    override: SettingsOverride = NO_OVERRIDE
    preset: Preset | None = None
    scope: Scope = Scope.SESSION
    forget: tuple[str, ...] = ()
    lock_seed: bool = False
    reset: bool = False

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to change, or only the panel to show."""
        return bool(self.override.explicit() or self.preset or self.reset or self.forget or self.lock_seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked(VersionEvent):
    """Show the versions of this channel's session, or of the one a turn belongs to."""

    implied: ClassVar[Implied] = Implied.SESSION
    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAsked(VersionEvent):
    """Show one version again: by turn id, by version, or my head when neither is given."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAsked(VersionEvent):
    """Erase a version: its row and its image. What was made from it stays."""

    implied: ClassVar[Implied] = Implied.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAsked(VersionEvent):
    """Close my session to others, or open it again."""

    is_locked: bool


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

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked(Event):
    """Give me everything of mine, as zip files of at most `max_bytes` each."""

    read_only: ClassVar[bool] = True

    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAsked(Event):
    """Erase everything of mine. Unless `is_confirmed`, the answer only says what would go, with a button."""

    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAsked(Event):
    """Show my own turns that wait or run, and how busy it is."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Event):
    """How do I use this?"""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAsked(Event):
    """Which model, which licence, which limits?"""

    read_only: ClassVar[bool] = True


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
    is_moderator: bool


def origin(event: Event) -> Origin:
    """Who, where and the proof of `event`, for an event that stands in its place."""
    return Origin(
        person=event.person,
        channel=event.channel,
        event_id=event.event_id,
        source=event.source,
        is_moderator=event.is_moderator,
    )
