"""Exports under way: one per user, few at once, each step made when the one before was taken."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from bot.chat.replies import Note
from conversations.messages import Message
from conversations.thread_pools import SMALL_PIXELS, ThreadPools

AT_ONCE = 8
PACE_S = 60.0  # from the beginning of one export of a user to that of the next
STALL_S = 180.0  # without a step taken: the export has ended; a chat may be slow to take files
_EXPORT_PIXELS = SMALL_PIXELS + 1  # an animation decodes one large picture after the other


class ExportEnded(Exception):
    """The export was given up, as its next step was not taken for a while."""


class ExportStream(AsyncIterator[bytes]):
    """The steps of one export. Raises ExportEnded once it stalled."""

    def __init__(self, steps: Iterator[bytes], threads: ThreadPools, uptime: Callable[[], float]) -> None:
        self._steps = steps
        self._threads = threads
        self._uptime = uptime
        self.began_at = self._taken_at = uptime()
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._is_over or self._uptime() - self._taken_at > STALL_S

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        if self.is_over:
            raise ExportEnded("an export stalled and was given up")
        step: bytes | None = await self._threads.draw(_EXPORT_PIXELS, next, self._steps, None)
        self._taken_at = self._uptime()
        if step is None:
            self._is_over = True
            raise StopAsyncIteration
        return step


class Exports:
    """The newest export of each user."""

    def __init__(self, threads: ThreadPools, uptime: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._uptime = uptime
        self._newest: dict[str, ExportStream] = {}

    def objection(self, user: str) -> Note | None:
        """Why no export of this user may begin now, or None."""
        recent = {who: made for who, made in self._newest.items() if not self._may_follow(made)}
        self._newest = recent
        if user in recent:
            return Note(Message("export_running"))
        running = sum(not made.is_over for made in recent.values())
        return Note(Message("exports_busy")) if running >= AT_ONCE else None

    def begin(self, user: str, steps: Iterator[bytes]) -> ExportStream:
        """An export of these steps, after `objection` had none."""
        self._newest[user] = ExportStream(steps, self._threads, self._uptime)
        return self._newest[user]

    def _may_follow(self, made: ExportStream) -> bool:
        return made.is_over and self._uptime() - made.began_at >= PACE_S


def delete_old_folders(before: float) -> None:
    """Delete the temporary exports that earlier releases left when they were killed. Blocks."""
    for folder in Path(tempfile.gettempdir()).glob("mgie-export-*"):
        found = folder.lstat()
        if found.st_uid == os.getuid() and found.st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
