"""What the service has measured, and the waiting times that follow from it. Pure values."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mgie_engine.edits import DeviceState, EditResult
from mgie_engine.errors import EditCancelled, EngineError, ServiceClosed


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """A look at the service now; counters run since its start."""

    ready: bool
    slots: int
    waiting: int
    running: int
    devices: Sequence[DeviceState]
    done: int
    failed: int
    cancelled: int
    retried: int
    seconds_per_edit: float | None  # in the engine, smoothed; None until one was measured
    seconds_by_stage: Mapping[str, float]  # summed over all edits done


@dataclass(slots=True)
class Tally:
    """Counts outcomes and smooths durations."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0
    retried: int = 0
    seconds_per_edit: float | None = None
    seconds_by_stage: dict[str, float] = field(default_factory=dict)

    def count(self, outcome: EditResult | EngineError) -> None:
        """Count an edit that ended so."""
        match outcome:
            case EditResult():
                self._count_done(outcome)
            case EditCancelled():
                self.cancelled += 1
            case ServiceClosed():
                pass  # not over, only put off
            case _:
                self.failed += 1

    def _count_done(self, result: EditResult) -> None:
        self.done += 1
        # The engine's own seconds, not those in the slot: loading the model or a second try is no measure.
        seconds, before = sum(result.seconds.values()), self.seconds_per_edit
        self.seconds_per_edit = seconds if before is None else 0.8 * before + 0.2 * seconds
        for stage, spent in result.seconds.items():
            self.seconds_by_stage[stage] = self.seconds_by_stage.get(stage, 0.0) + spent


def waiting_time(ahead: int, running_for: Sequence[float], slots: int, seconds_per_edit: float) -> float:
    """Seconds until a job with `ahead` others before it starts, if each takes `seconds_per_edit`.

    running_for: seconds each running job has had its slot so far.
    """
    free_in = [max(0.0, seconds_per_edit - spent) for spent in running_for]
    free_in += [0.0] * max(0, slots - len(free_in))
    heapq.heapify(free_in)
    for _ in range(ahead):
        heapq.heapreplace(free_in, free_in[0] + seconds_per_edit)
    return free_in[0]
