"""One version of a picture as a value: what was asked, its life cycle, and how it ended.

Pure values: nothing here knows a clock, a database or a chat.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from conversations.messages import Message
from conversations.request_source import NO_SOURCE, RequestSource
from conversations.settings import NO_OVERRIDE, EditSettings, Grid, MadeCell, SettingsOverride


class TurnState(StrEnum):
    """The life cycle of a turn. The turns in a state that is not final are the durable queue."""

    WAITING = "waiting"  # saved, not yet started
    RUNNING = "running"
    DELIVERING = "delivering"  # has an image (done), an error (failed) or neither (cancelled); not shown yet
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no further state can follow."""
        return not NEXT_STATES[self]


NEXT_STATES: Mapping[TurnState, frozenset[TurnState]] = {
    TurnState.WAITING: frozenset(
        {TurnState.RUNNING, TurnState.DELIVERING, TurnState.FAILED, TurnState.CANCELLED}
    ),
    # Back to waiting: the process that ran it ended and kept no partial result.
    TurnState.RUNNING: frozenset(
        {TurnState.WAITING, TurnState.DELIVERING, TurnState.FAILED, TurnState.CANCELLED}
    ),
    TurnState.DELIVERING: frozenset({TurnState.DONE, TurnState.FAILED, TurnState.CANCELLED}),
    TurnState.DONE: frozenset(),
    TurnState.FAILED: frozenset(),
    TurnState.CANCELLED: frozenset(),
}
UNFINISHED = tuple(state for state in TurnState if not state.is_final)


@dataclass(frozen=True, slots=True)
class TurnDraft:
    """A requested turn, before the store gives it an id, a number and a date.

    `state`, `image`, `expressive` and `changed` are given for one whose picture is made already.
    """

    session_id: str
    parent_id: str
    user: str
    instruction: str
    reading: str | None = None  # replaces the expressive instruction of the model
    override: SettingsOverride = NO_OVERRIDE  # the settings named in this request
    settings: EditSettings | None = None
    source: RequestSource = NO_SOURCE
    grid: Grid | None = None  # compare these guidance scales instead of making one version
    is_hidden: bool = False
    auto_scales: tuple[str, ...] = ()
    mask: str | None = None  # ImageStore key: where the picture may change, marked by hand
    state: TurnState = TurnState.WAITING
    image: str | None = None
    expressive: str | None = None
    changed: float | None = None
    varied_id: str | None = None
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One version: the request and its outcome. Number 0 is the uploaded image.

    A turn with a `grid` is a contact sheet of small images. No head points at it, and no turn starts from it;
    a picked cell becomes a turn of its own.
    """

    id: str  # short and typeable, e.g. "k3f9"
    session_id: str
    number: int  # the n of "v3"; counts up within the session, gaps after deletions; below 0: no version
    parent_id: str | None
    user: str  # opaque, e.g. "discord:42"
    instruction: str = ""
    expressive: str | None = None  # the expressive instruction of the model
    reading: str | None = None  # the user's replacement for it, given with the request
    state: TurnState = TurnState.WAITING
    override: SettingsOverride = NO_OVERRIDE
    settings: EditSettings | None = None  # as used; None until the turn has run
    image: str | None = None  # ImageStore key
    seconds: Mapping[str, float] = field(default_factory=dict)  # wall seconds by stage
    changed: float | None = None  # share of pixels that differ from the parent, 0 to 1
    notes: tuple[Message, ...] = ()
    error: Message | None = None
    source: RequestSource = NO_SOURCE
    delivered: str | None = None  # key of the message the bot posted to show it
    origin_message: str | None = None  # of an upload: key of the message that held it, by any author
    created_at: float = 0.0  # Unix seconds
    finished_at: float | None = None
    is_reworded: bool = False  # the instruction was changed while it waited
    attempt: int = 0  # how often the engine was asked for it
    grid: Grid | None = None
    cells: tuple[MadeCell, ...] = ()  # of a grid, once it is done
    event_id: str | None = None  # the chat event that requested it
    is_hidden: bool = False  # its images are shown behind spoilers
    lent_by: str | None = None  # of an upload: the user whose image it is, if not the one who brought it
    auto_scales: tuple[str, ...] = ()  # names of the guidance scales to choose when it starts
    confidence: float | None = None  # how sure the model was of its reading, 0 to 1
    other_readings: tuple[str, ...] = ()  # where it asked: what else may be meant, the likeliest first
    mask: str | None = None  # ImageStore key of an 8-bit grey PNG: where it is dark, the parent's bytes stay
    varied_id: str | None = None  # the version that it is a variation of, until that is erased
    is_exact: bool = False  # an adjustment by its definition: steps and seed had no part in it

    @property
    def label(self) -> str:
        """The name shown to users, e.g. "v3"; the id of an answer that is no version."""
        return self.id if self.number < 0 else f"v{self.number}"

    @property
    def is_upload(self) -> bool:
        """Whether this is the uploaded image the session began with."""
        return self.parent_id is None

    @property
    def pictures(self) -> tuple[str, ...]:
        """The ImageStore keys of everything it holds: its picture, its mask, the cells of its grid."""
        return tuple(key for key in (self.image, self.mask, *(cell.image for cell in self.cells)) if key)

    @property
    def shown_in(self) -> str | None:
        """Key of the message that users see it in, for links. Another author may have written it."""
        return self.delivered or self.origin_message

    @property
    def is_lost(self) -> bool:
        """Whether the turn ended without an image, even if that was not shown yet."""
        if self.state is TurnState.DELIVERING:
            return self.image is None
        return self.state in (TurnState.FAILED, TurnState.CANCELLED)
