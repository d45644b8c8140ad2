"""Several engine processes, one per device, behind the interface of one. Knows no torch."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace

from mgie_engine.edits import Changed, DeviceState, EditRequest, EditResult, Report
from mgie_engine.errors import EngineDied, ServiceClosed
from mgie_engine.serving.device_plan import DevicePlan
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.process import EngineProcess


class EnginePool:
    """An EditRunner whose edits go to the engine process with the most free slots.

    A process that dies takes only its own edits along: they raise EngineDied. It gets none before it is
    ready again, and the others go on. While no process is ready, edits wait for the first that is.
    """

    def __init__(self, processes: Sequence[EngineProcess]) -> None:
        """processes: at least one, not started."""
        self._processes = tuple(processes)
        self._news = asyncio.Event()  # replaced at every change
        self._report_change: Changed = lambda: None
        self._is_open = False

    @property
    def slots(self) -> int:
        """Edits that the ready processes run at once; 1 while there is none."""
        return max(1, sum(process.slots for process in self._processes if process.ready))

    @property
    def ready(self) -> bool:
        """Whether the model is loaded anywhere."""
        return any(process.ready for process in self._processes)

    @property
    def devices(self) -> tuple[DeviceState, ...]:
        """Every process and its device."""
        return tuple(state for process in self._processes for state in process.devices)

    async def start(self, changed: Changed = lambda: None) -> None:
        """Start every process and return at once."""
        self._report_change, self._is_open = changed, True
        for process in self._processes:
            await process.start(self._change)

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """Make one edit; see EditRunner."""
        process = await self._free_process()
        try:
            return await process.run(request, report)
        finally:
            self._wake()

    async def close(self) -> None:
        """End every process; edits still open raise ServiceClosed."""
        self._is_open = False
        self._change()
        await asyncio.gather(*(process.close() for process in self._processes))

    async def _free_process(self) -> EngineProcess:
        """The ready process with the most free slots, once there is one.

        Raises the fault if the model cannot be loaded anywhere, EngineDied if every process died meanwhile.
        """
        deaths = [process.deaths for process in self._processes]
        while self._is_open:
            ready = [process for process in self._processes if process.ready]
            free = max(ready, key=_free_slots, default=None)
            if free and _free_slots(free) > 0:
                return free
            if not ready:
                self._check_hope(deaths)
            await self._news.wait()
        raise ServiceClosed

    def _check_hope(self, deaths: Sequence[int]) -> None:
        """Raise if no process may become ready soon; `deaths`: of each when the edit came."""
        faults = [process.fault for process in self._processes if process.fault]
        if len(faults) == len(self._processes):
            raise faults[0].with_traceback(None)
        if all(
            process.fault or process.deaths > before
            for process, before in zip(self._processes, deaths, strict=True)
        ):
            raise EngineDied("Every engine process died while this edit waited for one.")

    def _change(self) -> None:
        self._wake()
        self._report_change()

    def _wake(self) -> None:
        # A fresh event each time: every edit that waits wakes once, and none has to clear it for the others.
        news, self._news = self._news, asyncio.Event()
        news.set()


def engine_pool(choice: ModelChoice, plans: Sequence[DevicePlan], slots: int | None) -> EnginePool:
    """A pool with an engine process per plan; `slots`: of each, None: as many as suit its device."""
    if len(plans) > 1 and choice.threads is None:
        choice = replace(choice, threads=max(1, (os.cpu_count() or 1) // len(plans)))
    return EnginePool(
        [
            EngineProcess(replace(choice, device=plan.device), slots, None, plan.name, plan.environment)
            for plan in plans
        ]
    )


def _free_slots(process: EngineProcess) -> int:
    return process.slots - process.running
