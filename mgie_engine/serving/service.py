"""The engine as the rest of the program sees it: submit an edit, follow it, have its result. Knows no torch.

Works in front of any EditRunner. One asyncio loop; nothing here blocks.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from functools import partial
from types import TracebackType
from typing import Self

from mgie_engine.edits import EditRequest, EditResult, EditRunner, Progress
from mgie_engine.errors import EditCancelled, EngineDied, EngineError, ServiceClosed
from mgie_engine.serving.job import Job, JobState, Place, RequestMaker
from mgie_engine.serving.last_slot import LastSlot
from mgie_engine.serving.queue import FairQueue, QueueLimits
from mgie_engine.serving.stats import ServiceStats, Tally, waiting_time


class EditHandle:
    """A submitted edit: where it stands, what it does, how it ends."""

    def __init__(self, service: "EditService", job: Job) -> None:
        self._service = service
        self._job = job

    @property
    def key(self) -> str:
        """The key it was submitted under."""
        return self._job.key

    @property
    def owner(self) -> str:
        """Whose edit it is; opaque."""
        return self._job.owner

    def place(self) -> Place:
        """Where the edit stands now; position 0 once it runs or is over."""
        return self._service._place(self._job)

    def events(self) -> AsyncIterator[Progress]:
        """Yield progress, latest wins; ends when the edit is over, however it ended."""
        return self._job.events()

    async def result(self) -> EditResult:
        """Wait for the picture.

        Raises EditCancelled, EngineDied (twice in a row), RequestRefused, ModelError, or ServiceClosed when
        the service closed first: such an edit did not fail and may be submitted again at the next start.
        """
        return await self._job.result()

    def cancel(self) -> None:
        """End the edit with EditCancelled, waiting or running; nothing happens if it is over."""
        self._service._cancel(self._job)


class EditService:
    """Keeps the slots of an EditRunner busy: `async with EditService(editor, limits) as service`.

    Entering starts the editor; leaving ends every open edit with ServiceClosed and closes the editor.
    """

    def __init__(
        self,
        editor: EditRunner,
        limits: QueueLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._editor = editor
        self._clock = clock
        self._queue: FairQueue[Job] = FairQueue(limits or QueueLimits())
        self._jobs: dict[str, Job] = {}  # waiting and running, by key
        self._tasks: dict[Job, asyncio.Task[None]] = {}  # running
        self._last_slot = LastSlot()
        self._tally = Tally()
        self._open = False

    async def __aenter__(self) -> Self:
        await self._editor.start(self._fill_slots)
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        for job in list(self._jobs.values()):
            self._end(job, ServiceClosed())
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._editor.close()

    @property
    def ready(self) -> bool:
        """Whether an edit submitted now would start at once if a slot is free (the model is loaded)."""
        return self._open and self._editor.ready

    def submit_nowait(
        self,
        key: str,
        owner: str,
        request: EditRequest | RequestMaker,
        *,
        again: bool = False,
        cost: float = 1.0,
    ) -> EditHandle:
        """Queue an edit and return at once; raises QueueFull, or ServiceClosed.

        request: the request, or what makes it when its turn has come, so that a long queue holds no pictures.
        A maker may raise an EngineError to end its edit, and is called again for a second try.

        key: unique among open edits (a turn id). owner: opaque; owners share the device equally.
        again: the edit was admitted before a restart, so the bounds do not apply.
        cost: beside other edits, in any one unit; owners get equal cost, not equal numbers of edits.
        Where others asked lately, an owner with an edit that runs does not get the last free slot.
        """
        if not self._open:
            raise ServiceClosed
        if key in self._jobs:
            raise ValueError(f"an edit with the key {key!r} is already open")
        job = Job(key, owner, request, cost)
        self._queue.push(job, again=again)
        self._jobs[key] = job
        self._last_slot.asked(owner, self._clock())
        self._fill_slots()
        return EditHandle(self, job)

    def find(self, key: str) -> EditHandle | None:
        """The open edit of that key; None if there is none (never was, or is over)."""
        job = self._jobs.get(key)
        return EditHandle(self, job) if job else None

    def stats(self) -> ServiceStats:
        """How things stand."""
        return ServiceStats(
            ready=self.ready,
            slots=self._editor.slots,
            waiting=len(self._queue),
            running=len(self._tasks),
            devices=self._editor.devices,
            **asdict(self._tally),
        )

    def _fill_slots(self) -> None:
        while len(self._tasks) < self._editor.slots and (job := self._next_job()):
            job.state, job.started_at = JobState.RUNNING, self._clock()
            task = self._tasks[job] = asyncio.create_task(self._run(job), name=f"edit {job.key}")
            # Not in the coroutine's own `finally`: a task cancelled before its first step never enters it.
            task.add_done_callback(partial(self._leave_slot, job))

    def _next_job(self) -> Job | None:
        """The next job, taken from the queue.

        One second try at a time: an edit that kills its process does not take others down twice.
        """
        if not self._open:
            return None
        is_second_running = any(job.is_second_try for job in self._tasks)
        owners, slots, now = [job.owner for job in self._tasks], self._editor.slots, self._clock()

        def may_start(job: Job) -> bool:
            if job.is_second_try and is_second_running:
                return False
            return self._last_slot.may_take(job.owner, owners, slots, now)

        return self._queue.take(may_start)

    def _leave_slot(self, job: Job, _: asyncio.Task[None]) -> None:
        del self._tasks[job]
        self._fill_slots()

    async def _run(self, job: Job) -> None:
        try:
            self._end(job, await self._editor.run(await job.make_request(), job.report))
        except asyncio.CancelledError:
            self._end(job, EditCancelled("The edit was cancelled."))
        except EngineDied as error:
            self._try_again(job, error)
        except EngineError as error:
            self._end(job, error)
        except Exception as error:  # a fault of ours fails this edit, never the loop
            self._end(job, EngineError(f"The edit failed unexpectedly: {error!r}."))

    def _try_again(self, job: Job, error: EngineDied) -> None:
        """Queue the job once more, in front of its owner's others; the second time it fails."""
        if job.is_second_try or job.state is JobState.OVER:
            self._end(job, error)
            return
        job.state, job.started_at, job.is_second_try = JobState.WAITING, None, True
        self._tally.retried += 1
        self._queue.push_first(job)

    def _end(self, job: Job, outcome: EditResult | EngineError) -> None:
        if job.state is JobState.OVER:
            return
        self._tally.count(outcome)
        del self._jobs[job.key]
        job.finish(outcome)

    def _cancel(self, job: Job) -> None:
        self._queue.remove(job)
        if task := self._tasks.get(job):
            task.cancel()
        self._end(job, EditCancelled("The edit was cancelled."))

    def _place(self, job: Job) -> Place:
        ahead = self._queue.position(job)
        if ahead is None:
            return Place(0, len(self._queue), 0.0)
        mean = self._tally.seconds_per_edit
        now = self._clock()
        running_for = [now - running.started_at for running in self._tasks if running.started_at is not None]
        slots = len(self._tasks) or self._editor.slots  # a slot that is free now is kept from those who wait
        wait_s = None if mean is None else waiting_time(ahead, running_for, slots, mean)
        return Place(ahead + 1, len(self._queue), wait_s)
