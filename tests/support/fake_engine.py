"""Engines for the engine process that need no torch; what they do is asked for in the instruction."""

import os
import resource
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.errors import EngineError, ModelError, NoRoom, RequestRefused
from tests.support.fakes import echo


class FakeEngine:
    """Gives pictures back, unless told to hang, refuse, kill itself, take all memory or wait for a file."""

    suitable_slots = 3
    silence_s = 120.0

    def __init__(self) -> None:
        self._edits: dict[int, EditRequest] = {}
        self._told: set[int] = set()

    @property
    def busy(self) -> bool:
        return bool(self._edits)

    def admit(self, key: int, request: EditRequest) -> None:
        self._edits[key] = request

    def cancel(self, key: int) -> None:
        self._edits.pop(key, None)

    def step(self) -> list[tuple[int, Progress | EditResult | EngineError]]:
        events: list[tuple[int, Progress | EditResult | EngineError]] = []
        for key, request in list(self._edits.items()):
            if key not in self._told:
                self._told.add(key)
                events.append((key, Progress(Stage.READING)))
            elif news := self._work(request):
                del self._edits[key]
                events.append((key, news))
        return events

    def _work(self, request: EditRequest) -> EditResult | EngineError | None:
        match request.instruction.split(" for "):
            case ["hang"]:
                threading.Event().wait()
            case ["kill the process"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["kill the parent once", path] if not Path(path).exists():
                Path(path).touch()
                os.kill(os.getppid(), signal.SIGKILL)
            case ["take all memory"]:
                resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))
                return RequestRefused(f"{len(bytes(2**31))} bytes were free")
            case ["refuse"]:
                return RequestRefused("I would rather not.")
            case ["wait", path] if not Path(path).exists():
                threading.Event().wait(0.01)  # leaves the processor to others
                return None
        return echo(request)


@dataclass(frozen=True)
class Fake:
    """Builds the fake engine."""

    def files_version(self) -> object:
        return None

    def build(self) -> FakeEngine:
        return FakeEngine()


@dataclass(frozen=True)
class Missing(Fake):
    """A model that is not there, until a file is."""

    file: Path = Path("/nothing")

    def files_version(self) -> object:
        return self.file.exists()

    def build(self) -> FakeEngine:
        if self.file.exists():
            return FakeEngine()
        raise ModelError("No model 'nothing'.")


@dataclass(frozen=True)
class Broken(Fake):
    """A model whose files make a library raise anything."""

    tally: Path

    def build(self) -> FakeEngine:
        with self.tally.open("a") as file:
            file.write("x")
        raise ZeroDivisionError("integer modulo by zero")


@dataclass(frozen=True)
class Deadly(Fake):
    """A model that takes the process down while it loads."""

    def build(self) -> FakeEngine:
        os._exit(3)


@dataclass(frozen=True)
class Chatty(Fake):
    """A model whose libraries print while it loads."""

    def build(self) -> FakeEngine:
        os.write(1, b"loading 100 %\n")
        return FakeEngine()


@dataclass(frozen=True)
class Shaky(Fake):
    """Builds the fake engine, but not the second time."""

    tally: Path

    def build(self) -> FakeEngine:
        with self.tally.open("a") as file:
            file.write("x")
        if self.tally.read_text() == "xx":
            raise NoRoom("The model needs 2.0 GB of free memory, and 1.0 GB is free.")
        return FakeEngine()
