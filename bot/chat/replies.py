"""What a user sees, as plain values: every message, every error, and the card of a version.

Chats draw these, and render their messages once, in the language of the user. Pictures are named by their
ImageStore key, so a value is small and can be drawn again after a restart. Times are seconds from now, never
clock times.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.events import ButtonAction
from conversations.messages import Message, joined, verbatim
from conversations.settings import EditSettings, Grid


class CardState(StrEnum):
    """The states of a card, in order; a card only ever moves forward."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (CardState.DONE, CardState.FAILED, CardState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press; how `act` becomes an event: `bot.workflow.button_events`.

    `says`: with SAY, the text to send.
    """

    act: ButtonAction
    label: Message
    says: str = ""


def buttons(*acts: ButtonAction) -> tuple[Button, ...]:
    """Buttons with the labels of their acts."""
    return tuple(Button(act, Message(f"button.{act}")) for act in acts)


@dataclass(frozen=True, slots=True)
class Card:
    """One version as a user sees it, in one of its states.

    turn_id    "k3f9"; with `state` the nonce of a message: f"{turn_id}-{state}"
    origin     "from v2"; None for an uploaded picture
    parent_version  "v2"; None for an uploaded picture
    parent     turn id of the version it starts from; None for an uploaded picture
    parent_key the message the parent is in, for a jump link
    before     ImageStore key of the picture it starts from; after: of the result, when done
    status     how a card not yet done stands: "Place 3 of 7", "step 12/50", or why it failed
    fraction   0 to 1 while running
    preview    small WebP while running, now and then
    facts      settings used and what came of them, when done: "text 7.5", "50 steps", "38 % changed"
    notes      worth showing, e.g. that the first frame of an animation was used
    wait_s     seconds until it probably starts, when queued and known
    is_hidden  pictures are shown behind spoilers, where the chat has such
    seed       as used, when done; None for an exact adjustment (`is_exact`), in which it had no part
    key        the message this version itself is in, if any; another user may have written it
    is_answer  the model declined or the bot asks: no version, no picture of its own
    confidence how sure the model was of `expressive`, 0 to 1
    settings   as used, when done
    mask       ImageStore key of where it was allowed to change, if that was marked by hand
    grid       the scales or seeds of many small pictures, which `after` shows; nothing can start from it
    cells      how many of them can be picked
    """

    turn_id: str
    version: str
    owner: str
    state: CardState
    origin: Message | None = None
    parent_version: str | None = None
    instruction: str = ""
    expressive: str | None = None
    before: str | None = None
    after: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    status: Message | None = None
    wait_s: float | None = None
    fraction: float = 0.0
    preview: bytes | None = None
    facts: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()
    buttons: tuple[Button, ...] = ()
    grid: Grid | None = None
    cells: int = 0
    is_answer: bool = False
    is_hidden: bool = False
    key: str | None = None
    seed: int | None = None
    confidence: float | None = None
    settings: EditSettings | None = None
    mask: str | None = None
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A message. `private`: only for the user who asked, where the chat can do that.

    Users in it are named by their keys, "<@discord:4711>"; the chat puts the name there. `buttons` stand
    under it, with `about` where a card's have their turn id, and are for the user `asks` to press. `words`
    is what the message keeps for a button that says what was typed.
    """

    text: Message
    private: bool = True
    buttons: tuple[Button, ...] = ()
    about: str = ""
    asks: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reacted:
    """Nothing is asked for: thanks, chatter. `emoji`: what to react with to a message, if anything.

    `text` is for chats and gestures that must be answered.
    """

    text: Message
    emoji: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An edit is saved; its card comes through `Chat.show`. `note`: for chats that must answer at once."""

    note: Message
    card: Card


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version to show right now, with a message; or to post in the channel `to`, which `note` says."""

    note: Message
    card: Card
    private: bool = True
    to: str | None = None


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """An image that the user may have meant; choosing it is EditAsked(turn=turn_id) with the same text."""

    turn_id: str
    version: str
    image: str  # ImageStore key
    instruction: str
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class AskTarget:
    """Which picture is meant? `words` is what to ask again with; at most 3 choices, newest first."""

    text: Message
    words: str
    choices: tuple[ImageChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting in the panel, its value, and the scope that it comes from."""

    label: Message  # "text CFG"
    value: Message  # "7.5", "random"
    origin: Message  # "this session", "you", "this channel", "the model's default"
    name: str = ""  # "text_cfg": the setting in any language
    setting: float | str | None = None  # the value itself; None when it is new for each edit


@dataclass(frozen=True, slots=True)
class SettingsPanel:
    """The settings that hold for me here. `text` says what was just done, if anything."""

    text: Message | None
    rows: tuple[SettingRow, ...]
    offers_auto: bool = True  # whether the model has a table that auto can follow


@dataclass(frozen=True, slots=True)
class History:
    """All versions of the session, oldest first, as cards; `head` is the turn id of my own head, if any."""

    text: Message
    cards: tuple[Card, ...]
    head: str | None
    can_redo: bool = False


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One of my sessions in short; `current` is my own version in it, and what GO_TO takes."""

    current: str  # turn id
    image: str  # ImageStore key of the picture of that version
    instruction: str  # that made it; "" for an upload
    versions: int
    is_here: bool  # the one that the next instruction goes on with


@dataclass(frozen=True, slots=True)
class Sessions:
    """My sessions in this channel, the last used first."""

    text: Message
    sessions: tuple[SessionSummary, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, and a picture (WebP) of where they differ."""

    text: Message
    before: Card
    after: Card
    change_map: bytes


@dataclass(frozen=True, slots=True)
class Queue:
    """My turns that wait or run, as cards, and how busy it is; `wait_s` until a new edit would start."""

    text: Message
    mine: tuple[Card, ...] = ()
    waiting: int = 0
    running: int = 0
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """An export to hand over privately: whole zips where the event named a largest size, else pieces of one.

    Each is made when it is taken. A chat that takes none for minutes gets no more.
    """

    text: Message
    zips: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Erased:
    """What the bot no longer knows; `messages` are delivered keys of messages the chat may take away too."""

    text: Message
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForModerators:
    """Something moderators should see: the chat posts it in the channel `to`, and says `text` to who asked.

    summary  what it is about, with users named by their keys; words: of a user, as they wrote them
    language of the moderators, for everything but `text`
    card     the version it is about, if there is one; its picture is shown behind a spoiler
    key      the message that version is in; another user may have written it
    buttons  with `about` where a card's have their turn id, and `owner` as the owner
    """

    text: Message
    to: str
    summary: Message
    language: str
    words: str = ""
    card: Card | None = None
    key: str | None = None
    buttons: tuple[Button, ...] = ()
    about: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a moderator's decision did; `messages` are delivered keys of messages the chat takes away."""

    text: Message
    messages: tuple[str, ...] = ()


Reply = (
    Accepted
    | ShownVersion
    | Note
    | Reacted
    | AskTarget
    | SettingsPanel
    | History
    | Sessions
    | Comparison
    | Queue
    | Files
    | Erased
    | ForModerators
    | Decided
)


def turns_shown(reply: Reply) -> tuple[str, ...]:
    """The ids of the turns that a posted reply shows."""
    match reply:
        case ShownVersion(card=card) | ForModerators(card=Card() as card):
            return (card.turn_id,)
        case AskTarget(choices=choices):
            return tuple(choice.turn_id for choice in choices)
        case History(cards=cards):
            return tuple(card.turn_id for card in cards)
        case Comparison(before=before, after=after):
            return (before.turn_id, after.turn_id)
        case _:
            return ()


def title(card: Card) -> Message:
    """ "v3 · from v2"; an uploaded picture is just "v0", an answer just "from v2"."""
    own = [] if card.is_answer else [verbatim(card.version)]
    return joined(" · ", *own, *([card.origin] if card.origin else []))


def how_it_goes(card: Card) -> Message:
    """The status of a card, with the wait where one is known: "Place 3 of 7 · about 20 s"."""
    status = card.status or verbatim("")
    if card.wait_s is None:
        return status
    return joined(" · ", status, Message("about", duration=duration(card.wait_s)))


def duration(seconds: float) -> Message:
    """A rounded duration: "under 5 s", "20 s", "3 min", "5 h", "3 days"."""
    if seconds < 5:
        return Message("under_5_seconds")
    if seconds < 90:
        return Message("seconds", count=round(seconds / 5) * 5)
    if seconds < 5400:
        return Message("minutes", count=round(seconds / 60))
    if seconds < 2 * 86400:
        return Message("hours", count=round(seconds / 3600))
    return Message("days", count=round(seconds / 86400))
