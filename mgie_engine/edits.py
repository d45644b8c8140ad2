"""The interface of the engine: request, progress and result of an edit.

Every class is a frozen value that is pickled to another process. Imports no torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from conversations.messages import Message
from conversations.settings import EditSettings


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of the conversation: its instruction and its expressive instruction."""

    instruction: str
    expressive: str


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One edit to run: picture, instruction, settings and conversation."""

    image: bytes  # PNG, upright, any size, RGB or RGBA; decoded by the engine, not on the event loop
    instruction: str
    settings: EditSettings
    history: tuple[Exchange, ...] = ()  # oldest first; a model uses as many turns as it was trained on
    reading: str | None = (
        None  # an expressive instruction to use in place of the model's own (corrected reading)
    )
    # An 8-bit grey PNG of the picture's size: where it is dark (below 128) every byte of the picture stays.
    mask: bytes | None = None


class Stage(StrEnum):
    """The stages of an edit, in order."""

    READING = "reading"
    PAINTING = "painting"
    FINISHING = "finishing"


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a running edit."""

    stage: Stage
    step: int = 0  # denoising steps done
    steps: int = 0  # denoising steps in all; 0 once it is known that none are needed
    expressive: str | None = None  # set once reading is done
    preview: bytes | None = None  # small WebP made from the latents, after some steps
    is_exact: bool = False  # by its reading: nothing is painted, and the seed makes no difference


class Doubt(StrEnum):
    """Why a reading should be confirmed before it is painted."""

    UNSURE = "unsure"  # the model is less sure of it than its bound
    WHOLE = "whole"  # a part of the picture was named, and it changes all of it


@dataclass(frozen=True, slots=True)
class EditResult:
    """The result of an edit."""

    image: bytes  # PNG at the delivered size
    expressive: str
    settings: EditSettings  # as used, with seed and steps resolved
    model: str
    size: tuple[int, int]  # width, height of `image`
    seconds: dict[str, float] = field(default_factory=dict)  # wall seconds by stage
    changed: float | None = None  # share of pixels that differ from the input, 0 to 1
    notes: tuple[Message, ...] = ()  # worth showing, e.g. that the instruction was used as it is
    is_declined: bool = False  # the model says that it cannot do this; `image` is the one that was sent
    is_exact: bool = False  # an adjustment by its definition: every seed gives this picture
    level: str = "exact"  # how exactly it was computed: "exact", "same" or "fast"
    # Probability of what the reading says will change, 0 to 1; None: it was given.
    confidence: float | None = None
    doubt: Doubt | None = None
    region: str | None = None  # with Doubt.WHOLE: the part that was named, as it was written
    # Nothing was painted, because of the doubt and as the settings ask; `image` is the one that was sent.
    is_question: bool = False
    other_readings: tuple[str, ...] = ()  # of a question: what else may be meant, the likeliest first


Report = Callable[[Progress], None]
Changed = Callable[[], None]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One engine process and its device now."""

    name: str  # "cuda:0"; "auto" where the engine process chooses
    ready: bool  # whether the model is loaded
    slots: int  # edits it runs at once
    running: int  # edits it has
    deaths: int  # times its process ended unasked, since the start
    fault: str | None = None  # why the model cannot be loaded there, if so


class EditRunner(Protocol):
    """Runs edits: engine processes in production, a hand-written fake in tests.

    `start` returns before the model is loaded; `ready` tells when it is, and `run` waits for that. `changed`
    is called when `slots` may have grown. `run` may be awaited up to `slots` times at once, which is at least
    1; cancelling its task cancels the edit. It raises EngineDied if the engine process ended, RequestRefused
    if the request cannot be served.
    """

    @property
    def slots(self) -> int: ...

    @property
    def ready(self) -> bool: ...

    @property
    def devices(self) -> Sequence[DeviceState]: ...

    async def start(self, changed: Changed) -> None: ...

    async def run(self, request: EditRequest, report: Report) -> EditResult: ...

    async def close(self) -> None: ...
