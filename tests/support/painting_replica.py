"""A replica in a real Ray cluster that takes its time, marks pictures and writes down when it paints.

Importing this imports ray.
"""

import io
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from mgie_engine.cluster.cluster_messages import Plain
from mgie_engine.cluster.deployment import MGIEReplica
from mgie_engine.edits import EditRequest, EditResult, EditRunner, Progress, Stage
from mgie_engine.errors import EngineError
from mgie_engine.serving.process import EngineProcess
from tests.support.bot_process import colour_of
from tests.support.fakes import echo

STEPS, STEP_S = 10, 0.1
ENDLESS = "endlessly"  # an instruction with this word is painted for ever


class PaintingEngine:
    """Takes STEPS steps for every edit; each step of it adds a line to the log: seconds, process, parent."""

    suitable_slots = 2
    silence_s = 120.0

    def __init__(self, log: Path) -> None:
        self._log = log
        self._edits: dict[int, EditRequest] = {}
        self._steps: dict[int, int] = {}

    @property
    def busy(self) -> bool:
        return bool(self._edits)

    def admit(self, key: int, request: EditRequest) -> None:
        self._edits[key], self._steps[key] = request, 0

    def cancel(self, key: int) -> None:
        self._edits.pop(key, None)

    def step(self) -> list[tuple[int, Progress | EditResult | EngineError]]:
        time.sleep(STEP_S)
        with self._log.open("a") as log:
            log.write(f"{time.time():.3f} {os.getpid()} {os.getppid()}\n" * len(self._edits))
        events: list[tuple[int, Progress | EditResult | EngineError]] = []
        for key, request in list(self._edits.items()):
            self._steps[key] += 1
            if self._steps[key] < STEPS or ENDLESS in request.instruction:
                events.append((key, Progress(Stage.PAINTING, min(self._steps[key], STEPS), STEPS)))
            else:
                del self._edits[key]
                events.append((key, marked(request)))
        return events


def marked(request: EditRequest) -> EditResult:
    """The picture, one column wider in a colour made of the instruction."""
    with Image.open(io.BytesIO(request.image)) as picture:
        wider = Image.new("RGB", (picture.width + 1, picture.height), colour_of(request.instruction))
        wider.paste(picture.convert("RGB"))
    file = io.BytesIO()
    wider.save(file, "PNG")
    return replace(echo(request), image=file.getvalue(), size=wider.size, changed=0.5)


@dataclass(frozen=True)
class Painting:
    """Builds the engine."""

    log: Path

    def files_version(self) -> object:
        return None

    def build(self) -> PaintingEngine:
        return PaintingEngine(self.log)


class PaintingReplica(MGIEReplica):
    """Serves edits with that engine in a true engine process; the plan names the log."""

    def build(self, plan: Plain) -> tuple[EditRunner, str]:
        """The engine, and some weights."""
        return EngineProcess(Painting(Path(plan["log"])), plan["slots"], name="painting"), "w"
