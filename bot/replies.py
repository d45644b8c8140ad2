"""What a person sees, as plain values: every sentence, every error, and the card of a version.

Chats draw these; they add no words of their own beyond layout. Pictures are named by their ImageStore key, so
a value is small and can be drawn again after a restart. Times are seconds from now, never clock times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.events import Act


class Say(StrEnum):
    """Every sentence, in English; a member's name is what a translation table is keyed by."""

    # which picture
    WHICH_PICTURE = "Which picture? Reply to one, attach one, or use /edit."
    PICTURE_READY = "Got it, that is {version}. What should I change?"
    NO_WORDS = "Say what to change, for example: make the sky darker."
    TOO_LONG = "That is {length} characters; {limit} are the most I can follow. Say it shorter."
    # the line
    QUEUED = "Queued as {version}."
    QUEUED_AFTER = "Queued as {version}; it waits for {parent}."
    PLACE = "Place {place} of {total}"
    WAIT = "about {seconds}"
    WAITS_FOR = "Waits for {parent}"
    TOO_MANY_WAITING = (
        "{count} edits of yours are already waiting; I take {limit} at a time. Try again when one is done."
    )
    QUEUE_FULL = "{limit} edits are already waiting here. Try again in a minute; nothing was counted."
    TOO_FAST = "That was quick: {limit} requests in {window}. Try again in {seconds}."
    RESTARTING = "I am restarting; try again in a minute. Edits already queued keep their place."
    # how it went
    READING = "reading the picture…"
    PAINTING = "step {step}/{steps}"
    FINISHING = "finishing"
    FAILED = "Failed. Not counted. Press Retry to try again."
    NO_MODEL = "The model could not be loaded; the log of the bot says why. Not counted."
    PARENT_FAILED = (
        "{parent} did not finish, so this was not tried. Reply to another version to use it there."
    )
    PICTURE_GONE = "The picture of {parent} is gone, so this cannot be tried. Attach it again."
    CANCELLED = "Cancelled. Not counted."
    # moves
    BACK_AT = "Back at {version}."
    NOW_AT = "Now at {version}."
    NO_SESSION = "Nothing here yet. Attach a picture and say what to change."
    NEW_SESSION = "Starting fresh. Attach a picture and say what to change."
    NOT_YOURS = "Only the person who asked for {version} can do that."
    NOTHING_TO_CANCEL = "Nothing of yours waits or runs here."
    STOPPED = "{version} is cancelled. Not counted."
    ALREADY_OVER = "{version} is already over."
    NOTHING_TO_VARY = "{version} is a picture as it was uploaded; there is nothing to do again."
    VERSIONS = "Versions here: {count}."
    NOTHING_QUEUED = "Nothing of yours is waiting. {waiting} wait in all, {running} run."
    YOUR_QUEUE = "{mine}\nIn all {waiting} wait and {running} run."
    MY_TURN = "{version} “{words}”: {status}"
    # about
    INFO = (
        "**Model:** {model} ({state}), {slots} edits at a time, {done} made since the start.\n"
        "**Limits:** {waiting} waiting edits each, {chars} characters per instruction."
    )
    READY = "ready"
    LOADING = "still loading"
    # settings
    SAVED_SETTINGS = "Saved for {scope}."
    RESET_SETTINGS = "Back to the settings below {scope}."
    NOT_A_SEED = "A seed is a number, “random” or “lock”, not {word}."
    NO_CHANNEL_RIGHT = "Setting a whole channel needs the right to manage messages."
    # where the chat itself says no
    MAY_NOT_POST = "I may not post in {place}: I lack {permissions}. So this comes here."
    NOT_DOWNLOADED = "I could not download that picture: {reason}. Attach it again."
    FILE_TOO_LARGE = "That file is {size}; {limit} is the most I take. Nothing was counted."
    SHRUNK = "Shown as {kind} to fit this place's limit of {limit}."
    OLD_BUTTON = "This button is from another release of me. Use /session history to find {version}."
    TOO_LATE = "Discord no longer lets me answer that; please do it again."
    # deeper
    DEEP = "{depth} edits deep: detail may soften. Say “start over” to go back to the original."
    UNEXPECTED = "Something went wrong on my side; it is in the log. Nothing was counted."

    def __call__(self, **values: object) -> str:
        """The sentence with its blanks filled."""
        return self.value.format(**values)


HELP = """\
**Edit pictures by talking.**
Attach a picture and say what to change: *make the ball red*. I answer with the edited picture.
Then just go on: *now blue*. Reply to any result to go on from **that** one.

**Words I know:** undo · redo · back to v2 · start over · again · stronger · subtler · stop
**Commands:** /edit · /cfg · /session · /queue · /help · /info

*text CFG* is how closely I follow your words, *image CFG* how closely I keep your picture.
Changed too much? *subtler*. Not enough? *stronger*."""

LICENCE_NOTICE = (
    "The released MGIE weights are under CC-BY-NC and come from LLaMA, under its own terms: "
    "non-commercial use only. The bundled mgie-mini weights are Apache-2.0, and so is this software."
)


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
    """Something to press; how `act` becomes an event: `bot.events.pressed`."""

    act: Act
    label: str


BUTTON_LABELS: Mapping[Act, str] = {
    Act.CANCEL: "Cancel",
    Act.REFINE: "Refine",
    Act.UNDO: "Undo",
    Act.RETRY: "Retry",
    Act.SUBTLER: "Subtler",
    Act.STRONGER: "Stronger",
    Act.GO_TO: "Go on from here",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One version as a person sees it, in one of its states.

    turn_id    "k3f9"; with `state` the nonce of a message: f"{turn_id}-{state}"
    title      "v3 · from v2"; an uploaded picture is just "v0"
    parent     turn id of the version it starts from; None for an uploaded picture
    parent_key where the parent was shown (a delivered key), for a jump link
    before     ImageStore key of the picture it starts from; after: of the result, when done
    status     the line of a card not yet done: "Place 3 of 7 · about 20 s", "step 12/50", or why it failed
    fraction   0 to 1 while running
    preview    small WebP while running, now and then
    facts      "text 7.5 · image 1.5 · 50 steps · seed 1371 · 6.2 s · 38 % changed · k3f9", when done
    notes      sentences worth showing, e.g. "I used the first frame."
    wait_s     seconds until it probably starts, when queued and known
    """

    turn_id: str
    version: str
    title: str
    owner: str
    state: CardState
    instruction: str = ""
    expressive: str | None = None
    before: str | None = None
    after: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    status: str = ""
    wait_s: float | None = None
    fraction: float = 0.0
    preview: bytes | None = None
    facts: str = ""
    notes: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence or two. `private`: only for the person who asked, where the chat can do that."""

    text: str
    private: bool = True


@dataclass(frozen=True, slots=True)
class Accepted:
    """An edit is saved and queued; its card comes, now and later, through `Chat.show`.

    `note` is for chats that must answer the gesture itself ("Queued as v3."); others may leave it out.
    """

    note: str
    card: Card


@dataclass(frozen=True, slots=True)
class Shown:
    """A version to show right now (after undo, go to, a picture without words), with a sentence."""

    note: str
    card: Card
    private: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """A picture a person may have meant; choosing it is EditAsked(from_turn=turn_id), same words."""

    turn_id: str
    version: str
    image: str  # ImageStore key
    instruction: str


@dataclass(frozen=True, slots=True)
class Which:
    """Which picture is meant? `words` is what to ask again with; at most 3 choices, newest first."""

    text: str
    words: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One setting in the panel: what it is, and who says so."""

    knob: str  # "text CFG"
    value: str  # "7.5", "random"
    origin: str  # "this session", "you", "this channel", "the model's default"


@dataclass(frozen=True, slots=True)
class Panel:
    """The settings that hold for me here. `text` says what was just done, or is empty."""

    text: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class History:
    """All versions of the session, oldest first, as cards; `head` is the turn id of my own head, if any."""

    text: str
    cards: tuple[Card, ...]
    head: str | None


Reply = Accepted | Shown | Note | Which | Panel | History


def seconds_in_words(seconds: float) -> str:
    """A duration a person would say: "under 5 s", "20 s", "3 min"."""
    if seconds < 5:
        return "under 5 s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    return f"{round(seconds / 60)} min"
