"""Decode untrusted image files in child processes with limits on memory, CPU and wall-clock time.

A file of 400 KB can make a decoder use gigabytes of memory or minutes of time. Such a file ends only one
child process, and the user gets a message.

Children start ahead of time and decode one image after another, so that an ordinary image does not wait for a
process to start. A child is not reused after a damaged or large file.
"""

import atexit
import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conversations.child_process import small_environment
from conversations.errors import PictureRefused
from conversations.images.decode import Picture, PictureLimits, RoomTooSmall, check_bytes
from conversations.images.formats import Format, sniff
from conversations.messages import Message

MIB = 2**20
DEFAULT_LIMITS = PictureLimits()


@dataclass(frozen=True, slots=True)
class Room:
    """What one picture may take.

    memory_bytes  of address space, the interpreter's 64 MiB included
    pixels        above this, a picture needs the larger room
    wall_s        until the child is killed, however little it did
    """

    memory_bytes: int
    pixels: int
    wall_s: float


# Together at most 3 × 208 MiB + 1 GiB. Measured: 22 bytes a pixel (WebP with alpha) beside the interpreter.
SMALL = Room(208 * MIB, 4_000_000, 40.0)
LARGE = Room(1024 * MIB, DEFAULT_LIMITS.pixels, 120.0)
ORDINARY_S = 0.5  # a picture that takes longer is read at the lower priority, so that others do not wait
NICENESS = 10  # more; the system takes 19 for all above it

_CHILD = "conversations.images.sandbox_child"
_ANSWER_BYTES = 64 * 1024  # of the line before the PNG
_log = logging.getLogger(__name__)


# -- for callers --------------------------------------------------------------------------------------------


def read_picture(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
    """The image in an uploaded file: upright, 8-bit sRGB, RGB or RGBA, free of metadata.

    PNG, JPEG, WebP, GIF, BMP, HEIC and AVIF. Anything else, and anything damaged or beyond `limits`, raises
    PictureRefused with a sentence. Blocks, for seconds if the picture is large; on an event loop, use a
    PictureReader.
    """
    check_bytes(data, limits)
    kind = sniff(data)
    try:
        with pool.child() as child:
            return child.read(data, kind, limits, SMALL)
    except RoomTooSmall:
        with pool.child() as child:
            return child.read(data, kind, limits, LARGE)


# -- the parent's side --------------------------------------------------------------------------------------


class DecoderProcess:
    """One child process, used by one thread at a time."""

    def __init__(self) -> None:
        root = Path(__file__).parents[__name__.count(".")]  # where the child finds this package
        self._process = subprocess.Popen(
            [sys.executable, "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
            # Two arenas at most: each reserves address space, which is what the bound counts.
            # numpy's library for matrices would reserve more for every core.
            env=small_environment() | {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl+C is for the bot, which may want to finish a picture
        )
        self.is_worn = False
        self._is_slow = False  # at the lower priority, which a process cannot leave

    @property
    def is_usable(self) -> bool:
        """Whether it may be given a picture."""
        return not self.is_worn and self._process.poll() is None

    def read(self, data: bytes, kind: Format, limits: PictureLimits, room: Room) -> Picture:
        """As decoding.decode; what kills the child is refused as too hard. RoomTooSmall: try a larger one."""
        self.is_worn = True  # until it has answered
        order = {"kind": kind.name, "size": len(data), "limits": asdict(limits), "room": asdict(room)}
        watches = threading.Timer(ORDINARY_S, self.give_way), threading.Timer(room.wall_s, self.kill)
        for watch in watches:
            watch.start()
        try:
            answer, png = self._ask(json.dumps(order).encode() + b"\n", data, limits)
        except (OSError, ValueError):
            code = self.end()
            _log.warning(
                "a %s file of %d bytes ended the process that read it: code %s", kind, len(data), code
            )
            raise too_hard(kind) from None
        finally:
            for watch in watches:
                watch.cancel()
        self.is_worn = self._is_slow or bool(answer.get("is_worn"))
        if answer.get("is_too_large"):
            raise RoomTooSmall
        if "refused" in answer:
            raise PictureRefused(answer["refused"], Message.from_json(answer["message"]))
        notes = tuple(map(Message.from_json, answer["notes"]))
        return Picture(png, answer["width"], answer["height"], notes)

    def _ask(self, order: bytes, data: bytes, limits: PictureLimits) -> tuple[dict[str, Any], bytes]:
        """The answer and the PNG; OSError or ValueError if the child died or sent invalid data."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + data)
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline(_ANSWER_BYTES))
        size = int(answer.get("size", 0))
        if size > 5 * limits.pixels + MIB:
            raise ValueError(f"a PNG of {size} bytes is longer than any within the limits")
        png = self._process.stdout.read(size)
        if len(png) < size:
            raise ValueError("the child died while it answered")
        return answer, png

    def give_way(self) -> None:
        """Lower its priority for good; may be called from any thread."""
        self._is_slow = True
        if sys.platform != "win32":
            pid = self._process.pid
            with contextlib.suppress(OSError):  # it has just ended
                os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + NICENESS)

    def kill(self) -> None:
        """End it now, whatever it does; may be called from any thread."""
        self._process.kill()

    def end(self) -> int:
        """End it and close its pipes; its exit code, negative for a signal."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was left to write has no reader
                    pipe.close()
        return self._process.wait()


class DecoderPool:
    """Children that wait for a picture, shared by a whole process; they end when it ends, however it ends."""

    def __init__(self) -> None:
        self._idle: deque[DecoderProcess] = deque()
        self._wanted = 0  # children to have, those at work included
        self._at_work = 0
        self._lock = threading.Lock()

    def prepare(self, count: int) -> None:
        """Have so many, now and later."""
        self._wanted = count
        self._fill()

    @contextlib.contextmanager
    def child(self) -> Iterator[DecoderProcess]:
        """A child for one picture."""
        with self._lock:
            self._at_work += 1
        child = None
        try:
            child = self._take()
            yield child
        finally:
            self._put_back(child)

    def close(self) -> None:
        """End the children that wait."""
        with self._lock:
            idle, self._wanted = list(self._idle), 0
            self._idle.clear()
        for child in idle:
            child.end()

    def _take(self) -> DecoderProcess:
        while True:
            with self._lock:
                child = self._idle.popleft() if self._idle else None
            if child is None:
                return _started()
            if child.is_usable:
                return child
            child.end()

    def _put_back(self, child: DecoderProcess | None) -> None:
        usable = child if child is not None and child.is_usable else None
        with self._lock:
            self._at_work -= 1
            if usable is not None:
                self._idle.append(usable)
        if child is not None and usable is None:
            child.end()
            self._fill()

    def _fill(self) -> None:
        with self._lock, contextlib.suppress(PictureRefused):  # then it is started when it is needed
            while len(self._idle) + self._at_work < self._wanted:
                self._idle.append(_started())


def _started() -> DecoderProcess:
    """A new child; PictureRefused when the machine has no room for one now."""
    try:
        return DecoderProcess()
    except OSError as error:
        _log.error("no process to decode a picture can be started: %s", error)
        raise PictureRefused("no process could be started", Message("overloaded")) from error


pool = DecoderPool()
atexit.register(pool.close)


def too_hard(kind: Format) -> PictureRefused:
    message = Message("file_hard", kind=kind.value)
    return PictureRefused(f"the {kind} file is damaged or too hard to read", message)
