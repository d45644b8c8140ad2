"""The queue in front of the device: fair between owners, bounded, cancellable anywhere. No torch, no clock.

Owners stand in a ring and are served in turn, one job each. A newcomer enters just before the owner served
last: a user who asked for fifty edits delays a newcomer by the one that runs, not by the next one too. No
other owner is overtaken, so none starves.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Generic, Protocol, TypeVar

from mgie_engine.errors import QueueFull


class Queued(Protocol):
    """What the queue needs to know of a job; owners are opaque."""

    @property
    def owner(self) -> str: ...


JobT = TypeVar("JobT", bound=Queued)


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many may wait."""

    waiting: int = 100
    waiting_per_owner: int = 10


class FairQueue(Generic[JobT]):
    """Jobs in the order they will really run."""

    def __init__(self, limits: QueueLimits) -> None:
        self.limits = limits
        self._ring: dict[str, deque[JobT]] = {}  # owners with waiting jobs, next to be served first
        self._served_last: str | None = None
        self._order: list[JobT] | None = None  # None: changed since it was last worked out

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._ring.values())

    def push(self, job: JobT, *, again: bool = False) -> None:
        """Add `job` behind its owner's others; raises QueueFull. `again`: admitted before, no bounds."""
        if not again:
            self._check_room(job.owner)
        if job.owner not in self._ring:
            self._enter(job.owner)
        self._ring[job.owner].append(job)
        self._order = None

    def push_first(self, job: JobT) -> None:
        """Add a job that was taken before in front of its owner's others; no bounds."""
        if job.owner not in self._ring:
            self._enter(job.owner)
        self._ring[job.owner].appendleft(job)
        self._order = None

    def take(self, may_start: Callable[[JobT], bool] = lambda _: True) -> JobT | None:
        """Remove and return the next job that may start now; None if there is none."""
        job = next((job for job in self.order() if may_start(job)), None)
        if job is None:
            return None
        self.remove(job)
        if job.owner in self._ring:
            self._ring[job.owner] = self._ring.pop(job.owner)  # as the last of the ring
        self._served_last = job.owner
        return job

    def remove(self, job: JobT) -> bool:
        """Take `job` out wherever it stands; False if it is not waiting."""
        jobs = self._ring.get(job.owner, deque())
        for place, other in enumerate(jobs):
            if other is job:
                del jobs[place]
                if not jobs:
                    del self._ring[job.owner]
                self._order = None
                return True
        return False

    def position(self, job: JobT) -> int | None:
        """How many jobs will be taken before `job` if no other comes; None if it is not waiting."""
        return next((place for place, other in enumerate(self.order()) if other is job), None)

    def order(self) -> list[JobT]:
        """Every waiting job, next first; do not change the list."""
        if self._order is None:
            rounds = zip_longest(*self._ring.values())
            self._order = [job for job in chain.from_iterable(rounds) if job is not None]
        return self._order

    def _check_room(self, owner: str) -> None:
        if len(self._ring.get(owner, ())) >= self.limits.waiting_per_owner:
            raise QueueFull(self.limits.waiting_per_owner, own=True)
        if len(self) >= self.limits.waiting:
            raise QueueFull(self.limits.waiting)

    def _enter(self, owner: str) -> None:
        self._ring[owner] = deque()
        if self._served_last in self._ring and self._served_last != owner:
            self._ring[self._served_last] = self._ring.pop(self._served_last)
