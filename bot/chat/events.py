"""What users ask for, as plain values: every chat translates its gestures into these events.

A chat makes an event, awaits `EditWorkflow.handle(event)` and shows the `Reply` it returns. Nothing here
depends on the chat. Keys are opaque strings that begin with the name of the chat:

    user     "discord:4711", "web:5f2c"       who asks; also the owner in the queue
    channel  "discord:99", "web:5f2c"         a channel, thread or direct message; sessions belong to it
    event_id "discord:m:1234", "web:e:77"     one per gesture; an id that comes again does nothing again
"""

from dataclasses import dataclass, fields
from enum import Enum, StrEnum, auto
from typing import ClassVar, TypedDict, cast

from bot.chat.button_actions import DECISIONS as DECISIONS
from bot.chat.button_actions import NEEDS_WORDS as NEEDS_WORDS
from bot.chat.button_actions import ButtonAction as ButtonAction
from bot.chat.offered_masks import MaskOffer
from bot.chat.offered_pictures import PictureOffer
from conversations.intents.sorted_text import SortedText
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.settings import NO_OVERRIDE, Grid, SettingsOverride
from conversations.store.user_data import Consent
from conversations.variations import Variation
from mgie_engine.strengths import Preset as Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who asks, where, and an id that tells a gesture from its repetition.

    source        what the chat needs to answer, also after a restart
    start         in a thread: what the message holds that the thread hangs on
    is_moderator  whether the user may decide about other users' edits in this channel
    may_post      whether the user may write and attach files in this channel
    asked_at      when the user made the gesture, Unix seconds by the clock of the chat; None: now
    roles         keys of the roles that the user has in this server
    account_since when the account of the user was made, Unix seconds; None: not known
    member_since  when the user joined this server, in the same way; None also outside of servers
    is_counted    whether it counts towards the request rate, as edits always do: a gesture of a user does,
                  what the chat looks up to draw something does not
    """

    read_only: ClassVar[bool] = False  # changes nothing, so it needs no lock and may be handled again

    user: str
    channel: str
    event_id: str
    source: RequestSource = NO_SOURCE
    start: PictureOffer | None = None
    is_moderator: bool = False
    may_post: bool = True
    roles: tuple[str, ...] = ()
    account_since: float | None = None
    member_since: float | None = None
    is_counted: bool = False
    asked_at: float | None = None

    @property
    def chat(self) -> str:
        """The name of the chat: "discord" or "web"."""
        return self.user.partition(":")[0]


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
    reply_to: str | None = None  # key of the message replied to, by whomever it was written
    version: str | None = None  # "v2", "2" or a turn id, as typed
    allowed_by: tuple[str, ...] = ()  # owners of pictures and sessions for whose consent it has waited


class Addressing(Enum):
    """How surely a text is meant as an instruction for the bot."""

    MESSAGE = auto()  # a message to the bot: it may be thanks or a question
    FORM = auto()  # typed where an instruction was asked for: a form, a command, the page, 💬 clicked
    VERBATIM = auto()  # the user says that it is one


@dataclass(frozen=True, slots=True)
class BotQuestion:
    """A question of the bot that a message replies to.

    consent  id of a question to the owner of a picture; "" for another question
    says     the text command that yes stands for; "" where it stands for the words asked about
    """

    consent: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditAsked(VersionEvent):
    """An image, an instruction, or both. Only an instruction edits a version; only an image begins a session.

    `text` may be a text command ("undo", "back to v2", "stop"). What it is about is the first of these that
    is given and found, see `bot.workflow.targets`: `own`, `turn`, `reply_to` (if that message shows a
    version), `replied`, `version`, the user's current version in a thread, what it hangs on (`start`),
    the user's current version in the channel, `recent`.
    """

    implied: ClassVar[Implied] = Implied.RECENT

    text: str = ""
    said: SortedText | None = None  # what `text` asks for; None: the workflow finds out
    addressing: Addressing = Addressing.MESSAGE
    question: BotQuestion | None = None  # that the message replies to
    kept_words: str = ""  # of the question replied to; an own picture without words takes them
    own: PictureOffer | None = None  # pictures that the message or command itself brings
    replied: PictureOffer | None = None  # those of the message replied to, or of the menu that was used
    recent: PictureOffer | None = None  # those that the user posted here a moment ago without words
    from_original: bool = False  # start from the upload of that session instead
    steps_back: int = 0  # start so many steps before that version instead
    is_elsewhere: bool = False  # about a picture that it does not show: not the current version
    last_words: str = ""  # the user's last instruction here, where it is meant for this picture
    override: SettingsOverride = NO_OVERRIDE  # settings for this edit alone
    preset: Preset | None = None  # both guidance scales for this edit; `override` beats it
    reading: str | None = None  # an expressive instruction to use instead of the model's own
    is_hidden: bool = False  # show its images behind spoilers
    results: int = 1  # seeds to try side by side
    mask: MaskOffer | None = None  # where the picture may change; outside of it every byte stays


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationAsked(VersionEvent):
    """Repeat an edit with a variation."""

    implied: ClassVar[Implied] = Implied.REQUESTED

    variation: Variation
    reading: str | None = None  # with CORRECTED
    text: str = ""  # with AMENDED: what is added to the instruction
    is_slight: bool = False  # half as much stronger or subtler


@dataclass(frozen=True, slots=True, kw_only=True)
class GridAsked(VersionEvent):
    """Try one edit with several guidance scales: `text` on the version, else the edit that made it."""

    implied: ClassVar[Implied] = Implied.REQUESTED

    text: str = ""
    grid: Grid | None = None  # at most 3 × 3; None: around the current settings
    seeds: int = 0  # so many seeds instead


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareAsked(VersionEvent):
    """Show where a version differs from `other`, else from its parent."""

    read_only: ClassVar[bool] = True

    other: str | None = None  # "v1"


Work = EditAsked | VariationAsked | GridAsked  # the events that make images


class Move(StrEnum):
    """Moves of a user's current version; nothing is deleted."""

    UNDO = "undo"
    REJECT = "reject"  # the same, and ask what was meant instead
    REDO = "redo"
    GO_TO = "go_to"
    START_OVER = "start_over"  # back to the uploaded image of the session
    NEW = "new"  # end the session here: the next instruction needs a new image


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAsked(VersionEvent):
    """Move my current version. GO_TO must name one; UNDO may name the one to undo, and how many steps."""

    move: Move
    steps: int = 1
    place: int | None = None  # 2 of "the second one"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(VersionEvent):
    """Stop a turn that waits or runs, in whichever channel; without one, my newest in this channel."""

    implied: ClassVar[Implied] = Implied.NONE


class Scope(StrEnum):
    """Where an override is stored. An edit's own beats the session's, the user's ("me") and the channel's."""

    SESSION = "session"
    ME = "me"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsAsked(VersionEvent):
    """Change the settings of a scope; with nothing to change, show the panel.

    `reset` empties the scope first. `preset` sets both guidance scales; `override` beats it.
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
    """Show every version of a session."""

    implied: ClassVar[Implied] = Implied.SESSION
    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAsked(VersionEvent):
    """Show one version again."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAsked(VersionEvent):
    """Erase a version: its row and its image. What was made from it stays."""

    implied: ClassVar[Implied] = Implied.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAsked(VersionEvent):
    """Let only me continue my session, or everybody."""

    is_locked: bool


class Answer(StrEnum):
    """What the owner of an image answers to a user who asked to edit it. NO holds for a while."""

    ONCE = "once"
    ALWAYS = "always"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswered(Event):
    """The owner answers the question `request` (Note.about)."""

    request: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAsked(Event):
    """Let all users edit my images (ALWAYS), none (NEVER), or those that I allow when they ask (None)."""

    everybody: Consent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyAsked(Event):
    """Show what is stored about me."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked(Event):
    """Export my data as zip files of at most `max_bytes` each."""

    read_only: ClassVar[bool] = True

    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAsked(Event):
    """Erase my data. Unless `is_confirmed`, only say what would be erased, with a button to confirm."""

    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAsked(Event):
    """Show my turns that wait or run, and how busy the bot is."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Event):
    """Explain how to use the bot."""

    read_only: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoAsked(Event):
    """Show the model, its licence and the limits."""

    read_only: ClassVar[bool] = True


class Origin(TypedDict):
    """The fields that every event has, as keyword arguments for another event."""

    user: str
    channel: str
    event_id: str
    source: RequestSource
    start: PictureOffer | None
    is_moderator: bool
    may_post: bool
    roles: tuple[str, ...]
    account_since: float | None
    member_since: float | None
    is_counted: bool
    asked_at: float | None


def origin(event: Event) -> Origin:
    """The common fields of `event`, for an event that takes its place."""
    return cast("Origin", {field.name: getattr(event, field.name) for field in fields(Event)})
