"""What the parent and the engine process say to each other: frozen values, pickled, each after its length.

The pipe is private to the two, so unpickling is safe. Knows no torch.
"""

import pickle
import struct
from asyncio import IncompleteReadError, StreamReader
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from mgie_engine.edits import DeviceState, EditRequest, EditResult, Progress
from mgie_engine.errors import EngineError

_LENGTH = struct.Struct(">I")


class Works(Protocol):
    """What does the work in the engine process; `Engine` in production."""

    @property
    def suitable_slots(self) -> int:
        """How many edits at once suit the device."""
        ...

    @property
    def silence_s(self) -> float:
        """How long it may say nothing while edits run."""
        ...

    @property
    def busy(self) -> bool:
        """Whether any edit is under way."""
        ...

    def admit(self, key: int, request: EditRequest) -> None:
        """Take in an edit."""
        ...

    def cancel(self, key: int) -> None:
        """Drop an edit; nothing more is said about it."""
        ...

    def step(self) -> Sequence[tuple[int, Progress | EditResult | EngineError]]:
        """Do a little of everything; what happened, in order."""
        ...


class Loadable(Protocol):
    """Says what a child process loads; travels to it by pickling."""

    def files_version(self) -> object:
        """Changes when the files that are read do; asked while they cannot be loaded."""
        ...


class Builder(Loadable, Protocol):
    """Says what does the work in an engine process."""

    def build(self) -> Works:
        """Load everything, in the engine process; raises ModelError."""
        ...


@dataclass(frozen=True, slots=True)
class Launch:
    """First word to the engine process: what to load."""

    builder: Loadable
    slots: int | None  # None: as many as suit the device


@dataclass(frozen=True, slots=True)
class Run:
    """Begin this edit."""

    key: int
    request: EditRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop this edit; nothing more is said about it."""

    key: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded; said again when the slots change."""

    slots: int  # 0: it is loaded nowhere now
    silence_s: float  # how long the process may say nothing while edits run
    devices: tuple[DeviceState, ...] = ()  # those behind it, if it has none of its own


@dataclass(frozen=True, slots=True)
class CannotLoad:
    """The model cannot be loaded; trying again with the same files helps only against NoRoom."""

    error: EngineError


@dataclass(frozen=True, slots=True)
class Happened:
    """News of an edit; anything but Progress is its end."""

    key: int
    news: Progress | EditResult | EngineError


@dataclass(frozen=True, slots=True)
class Beat:
    """The engine's loop is alive."""


Order = Run | Cancel
Answer = Ready | CannotLoad | Happened | Beat


def frame(message: Launch | Order | Answer) -> bytes:
    """The message as bytes for the pipe."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def read_messages(pipe: BinaryIO) -> Iterator[Any]:
    """Every message until the other end closes; blocks."""
    while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if len(body := pipe.read(length)) < length:
            return
        yield pickle.loads(body)


async def receive_messages(pipe: StreamReader) -> AsyncIterator[Any]:
    """Every message until the other end closes or dies, be it in mid-message."""
    try:
        while True:
            (length,) = _LENGTH.unpack(await pipe.readexactly(_LENGTH.size))
            yield pickle.loads(await pipe.readexactly(length))
    except IncompleteReadError:
        return
