"""What a process and its children take while something is done to them: memory, descriptors, threads."""

import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

MIB = 2**20
_FORKED_ONLY = 0x40  # PF_FORKNOEXEC in the kernel's flags of a process


class Taken(NamedTuple):
    """What a process and its children take now."""

    own_mib: float
    children_mib: tuple[float, ...]
    descriptors: int
    threads: int

    @property
    def all_mib(self) -> float:
        """The memory of all, what they share counted for each."""
        return self.own_mib + sum(self.children_mib)


def taken(pid: int) -> Taken:
    """Look once. NoSuchProcess if it ended."""
    process = psutil.Process(pid)
    children = []
    for child in process.children(recursive=True):
        try:
            if runs_own_program(child.pid):
                children.append(child.memory_info().rss / MIB)
        except psutil.NoSuchProcess:
            continue
    return Taken(process.memory_info().rss / MIB, tuple(children), process.num_fds(), process.num_threads())


def runs_own_program(pid: int) -> bool:
    """Whether it was given a program since it was forked; NoSuchProcess if it ended.

    Before that its memory is its parent's, all of which would count a second time.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return not int(fields[6]) & _FORKED_ONLY


class MemoryWatch:
    """The most memory that a process and each of its children had resident while the block ran."""

    def __init__(self, pid: int, every_s: float = 0.1) -> None:
        self._pid, self._every_s = pid, every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory watch", daemon=True)
        first = taken(pid)
        self._idle = self._peak = first.own_mib
        self._all_idle = self._all_peak = first.all_mib
        self._child_mib = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """For a report."""
        return {
            "idle_mib": round(self._idle, 1),
            "over_idle_mib": round(self._peak - self._idle, 1),
            "largest_child_mib": round(self._child_mib, 1),
            "all_over_idle_mib": round(self._all_peak - self._all_idle, 1),
        }

    def _look(self) -> None:
        while not self._end.wait(self._every_s):
            try:
                now = taken(self._pid)
            except psutil.NoSuchProcess:
                return
            self._peak = max(self._peak, now.own_mib)
            self._all_peak = max(self._all_peak, now.all_mib)
            self._child_mib = max(self._child_mib, *now.children_mib, 0.0)
