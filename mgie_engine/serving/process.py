"""The engine in a process of its own, so that a crash or a hang ends edits and not the bot.

The parent's side: start it, feed it, watch it, start it again. Knows no torch. The child's side is worker.py.
"""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass

from conversations.child_process import small_environment
from mgie_engine.edits import Changed, DeviceState, EditRequest, EditResult, Progress, Report
from mgie_engine.errors import EngineDied, EngineError, NoRoom, ServiceClosed
from mgie_engine.serving.protocol import (
    Answer,
    Cancel,
    CannotLoad,
    Happened,
    Launch,
    Loadable,
    Ready,
    Run,
    frame,
    receive_messages,
)

# Settings of the libraries that the engine uses begin so: torch, its threads and devices, the model loaders.
LIBRARIES = (
    *("CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "NCCL_", "HIP_", "HSA_", "ROCR_", "PYTORCH_", "TORCH"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "TRITON_", "BNB_", "HF_", "TRANSFORMERS_", "XDG_CACHE_"),
    "RAY_",
)

WORKER = "mgie_engine.serving.worker"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for an engine process."""

    load_s: float = 900.0  # from its start until the model is loaded
    hang_s: float | None = None  # without a sign of life while edits run; None: as the engine says
    first_pause_s: float = 0.5  # before the first restart; doubles from one to the next
    longest_pause_s: float = 60.0
    look_again_s: float = 10.0  # how often to look whether the files of a model that cannot be loaded changed

    def pause_s(self, deaths: int) -> float:
        """Seconds to wait before starting again after so many deaths without a finished edit."""
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(deaths - 1, 30))


@dataclass(eq=False, slots=True)
class _Edit:
    """An edit and the caller that awaits it."""

    request: EditRequest
    report: Report
    outcome: asyncio.Future[EditResult]


class EngineProcess:
    """An EditRunner whose work is done by a child process on one device.

    `start` returns at once and the model loads meanwhile; edits asked for before that wait. When the child
    dies, or shows no sign of life while busy, its edits raise EngineDied and another child is started. A
    model that cannot be loaded is not tried again before its files change: until then `fault` says why, and
    every edit raises it.
    """

    def __init__(
        self,
        builder: Loadable,
        slots: int | None = None,
        timeouts: Timeouts | None = None,
        name: str = "auto",
        environment: Mapping[str, str] | None = None,
        module: str = WORKER,
    ) -> None:
        """builder: usually a ModelChoice. slots: edits at once; None: as many as suit the device.

        name: of the device, for the operator. environment: variables of the child beside the usual ones.
        module: what the child runs.
        """
        self.name = name
        self._module = module
        self._behind: tuple[DeviceState, ...] = ()  # devices, if the child says so
        self._environment = environment or {}
        self._launch = Launch(builder, slots)
        self._timeouts = timeouts or Timeouts()
        self._slots = slots or 2
        self._edits: dict[int, _Edit] = {}
        self._last_key = 0
        self._failures = 0  # deaths since the last finished edit
        self._deaths = 0
        self._changed: Changed = lambda: None
        self._ready = False
        self._was_ready = False  # at any time
        self._hang_s = 0.0  # 0 before the child is ready
        self._fault: EngineError | None = None
        self._process: Process | None = None  # while it may be spoken to
        self._watch: asyncio.Timeout | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def slots(self) -> int:
        """Edits that may run at once; may grow when the model is loaded."""
        return self._slots

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._ready

    @property
    def fault(self) -> EngineError | None:
        """Why the model cannot be loaded, if so."""
        return self._fault

    @property
    def deaths(self) -> int:
        """How often a child died, hung or could not be started."""
        return self._deaths

    @property
    def running(self) -> int:
        """Edits it has now."""
        return len(self._edits)

    @property
    def devices(self) -> tuple[DeviceState, ...]:
        """The one device, or those behind the child, for the operator."""
        if self._behind and self._process:
            return self._behind
        fault = str(self._fault) if self._fault else None
        return (DeviceState(self.name, self._ready, self._slots, self.running, self._deaths, fault),)

    @property
    def pid(self) -> int | None:
        """Of the child now alive, for the operator."""
        return self._process.pid if self._process else None

    async def start(self, changed: Changed = lambda: None) -> None:
        """Start the child and return at once. `changed` is called when it is ready, and when it has ended."""
        self._changed = changed
        self._supervisor = asyncio.create_task(self._supervise(), name=f"engine supervisor {self.name}")

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Make one edit; see EditRunner."""
        if self._fault:
            raise self._fault.with_traceback(None)  # else every edit would leave its own traceback on it
        if self._supervisor is None or self._supervisor.done():
            raise ServiceClosed
        self._last_key = key = self._last_key + 1
        edit = _Edit(request, report, asyncio.get_running_loop().create_future())
        self._edits[key] = edit
        self._tell(Run(key, request))
        try:
            return await edit.outcome
        except asyncio.CancelledError:
            self._tell(Cancel(key))
            raise
        finally:
            self._edits.pop(key, None)
            self._keep_watch()

    async def close(self) -> None:
        """End the child; edits still open raise ServiceClosed."""
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])

    async def _supervise(self) -> None:
        try:
            while True:
                version = await self._files_version()
                died = await self._one_life()
                if self._fault:
                    self._fail_edits(self._fault)
                    await self._wait_for_other_files(version)
                    self._fault, self._failures = None, 0
                    continue
                self._deaths += 1
                self._failures += 1
                pause_s = self._timeouts.pause_s(self._failures)
                _log.error("Device %s: %s Starting it again in %.1f s.", self.name, died, pause_s)
                self._fail_edits(died)
                await asyncio.sleep(pause_s)
        finally:
            self._fail_edits(self._fault or ServiceClosed())

    async def _wait_for_other_files(self, version: object) -> None:
        while True:
            await asyncio.sleep(self._timeouts.look_again_s)
            if await self._files_version() != version:
                return

    async def _files_version(self) -> object:
        return await asyncio.to_thread(self._launch.builder.files_version)

    async def _one_life(self) -> EngineDied:
        """Run one child from its start to its end; says how it ended."""
        # Only a pipe joins the two: when the parent ends, however it ends, the child reads the end and exits.
        command = (sys.executable, "-m", self._module)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, env=small_environment(*LIBRARIES) | dict(self._environment)
            )
        except OSError as error:
            return EngineDied(f"The engine process could not be started: {error}.")
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._timeouts.load_s) as self._watch:
                self._process, self._hang_s = process, 0.0
                self._greet()
                async for answer in receive_messages(process.stdout):
                    self._hear(answer)
                    self._keep_watch()
            await _end(process)
            return EngineDied(f"The engine process {_how_it_ended(process.returncode)}.")
        except TimeoutError:
            return EngineDied("The engine process showed no sign of life and was ended.")
        finally:
            self._process, self._watch, self._ready = None, None, False
            await _end(process)

    def _greet(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(frame(self._launch))
        for key, edit in self._edits.items():  # asked for while there was no child
            self._tell(Run(key, edit.request))

    def _tell(self, order: Run | Cancel) -> None:
        if self._process and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(frame(order))
            self._keep_watch()

    def _hear(self, answer: Answer) -> None:
        match answer:
            case Ready(slots, silence_s, devices):
                self._ready, self._slots, self._behind = slots > 0, slots, devices
                self._was_ready = True
                self._hang_s = self._timeouts.hang_s or silence_s
                self._changed()
            case CannotLoad(error):
                may_pass = self._was_ready and isinstance(error, NoRoom)  # memory may be short for a while
                self._fault = None if may_pass else error
                after = "" if may_pass else " It is tried again once its files change, or after a restart."
                _log.error("Device %s: the model cannot be loaded: %s%s", self.name, error, after)
            case Happened(key, Progress() as progress) if key in self._edits:
                self._edits[key].report(progress)
            case Happened(key, EditResult() as result) if key in self._edits:
                self._failures = 0
                _settle(self._edits[key].outcome, result)
            case Happened(key, EngineError() as error) if key in self._edits:
                _settle(self._edits[key].outcome, error)

    def _keep_watch(self) -> None:
        """Expect the next sign of life in time if an edit runs, whenever it comes if none does."""
        if self._watch and self._hang_s and not self._watch.expired():
            until = asyncio.get_running_loop().time() + self._hang_s
            self._watch.reschedule(until if self._edits else None)

    def _fail_edits(self, error: EngineError) -> None:
        for edit in self._edits.values():
            _settle(edit.outcome, error)
        self._changed()


def _settle(future: asyncio.Future[EditResult], outcome: EditResult | EngineError) -> None:
    if future.done():
        return
    if isinstance(outcome, EditResult):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


async def _end(process: Process) -> None:
    """See the child out: closing its input is enough for a healthy one."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5.0):
            await process.wait()
            return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by signal {-code}" + (", perhaps for want of memory" if code == -9 else "")
    return f"ended with code {code}"
