"""The front door: what an edit asks for, what it reports, what it gives.

Everything here is a frozen value that crosses process borders by pickling; nothing here knows torch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from conversations.messages import Message
from conversations.settings import EditSettings


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of the talk: what was asked and how it was understood."""

    instruction: str
    expressive: str


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One edit to make: the picture, the talk so far, and the knobs."""

    image: bytes  # PNG, upright, any size, RGB or RGBA; decoded by the engine, not on the event loop
    instruction: str
    settings: EditSettings
    history: tuple[Exchange, ...] = ()  # oldest first; a model uses as many as it was trained on
    reading: str | None = (
        None  # an expressive instruction to use in place of the model's own (corrected reading)
    )


class Stage(StrEnum):
    """Where an edit is; the order is the order of work."""

    READING = "reading"
    PAINTING = "painting"
    FINISHING = "finishing"


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life from a running edit."""

    stage: Stage
    step: int = 0  # denoising steps done
    steps: int = 0  # denoising steps in all
    expressive: str | None = None  # known once reading is over
    preview: bytes | None = None  # small WebP made from the latents, now and then


@dataclass(frozen=True, slots=True)
class EditResult:
    """An edit made."""

    image: bytes  # PNG at the delivered size
    expressive: str
    settings: EditSettings  # as used: seed and steps filled in
    model: str
    size: tuple[int, int]  # width, height of `image`
    seconds: dict[str, float] = field(default_factory=dict)  # wall seconds by stage
    changed: float | None = None  # share of pixels that differ from the input, 0 to 1
    notes: tuple[Message, ...] = ()  # worth showing, e.g. that the instruction was used as it is


Report = Callable[[Progress], None]


class Editor(Protocol):
    """What runs edits: an engine process in production, a hand-written fake in tests.

    `start` returns quickly; the model may still be loading, and `ready` says when it is there (a `run` before
    that just waits). `run` may be awaited up to `slots` times at once; cancelling its task cancels the edit.
    It raises EngineDied when the process behind it ended, RequestRefused when the request is at fault.
    """

    @property
    def slots(self) -> int: ...

    @property
    def ready(self) -> bool: ...

    async def start(self) -> None: ...

    async def run(self, request: EditRequest, report: Report) -> EditResult: ...

    async def close(self) -> None: ...
