"""Hand-written editors for tests, and small values to feed them. The product itself never runs on these."""

import asyncio
import io
from random import Random

from PIL import Image

from conversations.settings import EditSettings
from mgie_engine.edits import Changed, DeviceState, EditRequest, EditResult, Progress, Report, Stage
from mgie_engine.errors import EngineDied, EngineError


def a_picture(width: int = 12, height: int = 9, colour: str = "teal") -> bytes:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def a_preview() -> bytes:
    """A small WebP of one colour, as the engine shows on its way."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "pink").save(file, "WEBP")
    return file.getvalue()


def some_settings(*, steps: int = 4, seed: int = 7) -> EditSettings:
    """Ordinary settings."""
    return EditSettings(text_cfg=7.5, image_cfg=1.5, steps=steps, seed=seed, sampler="euler_ancestral")


def a_request(instruction: str = "make the ball red", image: bytes | None = None) -> EditRequest:
    """An ordinary request."""
    return EditRequest(image or a_picture(), instruction, some_settings())


def echo(request: EditRequest) -> EditResult:
    """The picture untouched, as a result."""
    with Image.open(io.BytesIO(request.image)) as picture:
        size = picture.size
    seconds = {"reading": 0.0, "painting": 0.0, "finishing": 0.0}
    return EditResult(
        request.image, request.reading or "(echo)", request.settings, "echo", size, seconds, changed=0.0
    )


def a_busy_picture(seed: int = 1) -> bytes:
    """A PNG of soft blobs, in which there is enough to know it again."""
    file = io.BytesIO()
    blobs = Image.frombytes("RGB", (6, 6), Random(seed).randbytes(108))
    blobs.resize((96, 96), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


class EchoEditor:
    """Returns every picture untouched, so the chat is tested in milliseconds."""

    devices: tuple[DeviceState, ...] = ()

    def __init__(self, slots: int = 4) -> None:
        self.slots = slots
        self.ready = False

    async def start(self, changed: Changed = lambda: None) -> None:
        """Be ready at once."""
        self.ready = True

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Give the picture back."""
        return echo(request)

    async def close(self) -> None:
        """Be ready no more."""
        self.ready = False


class ScriptedEdit:
    """One running edit whose progress and end the test decides."""

    def __init__(self, request: EditRequest, report: Report) -> None:
        self.request = request
        self.report: Report = report  # call it to make progress
        self.cancelled = False  # whether the service cancelled it
        self._outcome: asyncio.Future[EditResult] = asyncio.get_running_loop().create_future()

    def finish(self, result: EditResult | None = None) -> None:
        """End well, with the picture untouched unless told otherwise."""
        self._outcome.set_result(result or echo(self.request))

    def fail(self, error: EngineError) -> None:
        """End with this error."""
        self._outcome.set_exception(error)

    def die(self) -> None:
        """End as if the engine process had been killed."""
        self.fail(EngineDied("The engine process ended while this edit was running."))

    async def outcome(self) -> EditResult:
        """What the editor awaits."""
        try:
            return await self._outcome
        except asyncio.CancelledError:
            self.cancelled = True
            raise


class ScriptedEditor:
    """Runs nothing by itself: `await editor.started()` gives each begun edit, which the test then finishes.

    edit = await editor.started()
    edit.report(Progress(Stage.PAINTING, 1, 4))
    edit.finish()
    """

    devices: tuple[DeviceState, ...] = ()

    def __init__(self, slots: int = 1, *, ready: bool = True) -> None:
        self.slots = slots
        self.changed: Changed = lambda: None  # call it after `slots` has grown
        self.ready = ready
        self.closed = False
        self.edits: list[ScriptedEdit] = []  # every edit begun so far
        self._begun: asyncio.Queue[ScriptedEdit] = asyncio.Queue()

    async def start(self, changed: Changed) -> None:
        """Nothing to start; `ready` and `slots` are the test's to set."""
        self.changed = changed

    async def started(self) -> ScriptedEdit:
        """The next edit begun that was not yet asked for; waits for one."""
        async with asyncio.timeout(60):
            return await self._begun.get()

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Hand the edit to the test and wait for its verdict."""
        edit = ScriptedEdit(request, report)
        self.edits.append(edit)
        self._begun.put_nowait(edit)
        return await edit.outcome()

    async def close(self) -> None:
        """Note that it happened."""
        self.closed = True


def painting(step: int, steps: int = 4, *, preview: bytes | None = None) -> Progress:
    """Progress in the painting stage."""
    return Progress(Stage.PAINTING, step, steps, expressive="(echo)", preview=preview)
