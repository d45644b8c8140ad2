"""The child process of apart.py: reads one picture after the other, within bounds on memory and time.

A picture comes on stdin, as a line of JSON and the file; a line of JSON and the PNG go to stdout.
"""

import json
import sys
from typing import Any, BinaryIO

from conversations.child_process import be_ended_first, give_up_rights
from conversations.errors import PictureRefused
from conversations.images.decode import PictureLimits, RoomTooSmall, decode
from conversations.images.formats import Format
from conversations.images.sandbox import LARGE, Room

HEADER_CPU_S = 2.0  # an ordinary header takes a hundredth of that
DECODE_CPU_S = 4.0  # and for each megapixel:
CPU_S_PER_MEGAPIXEL = 0.65  # three times the slowest measured (HEIC) on a server of two cores
PICTURES_EACH = 50
LIFETIME_CPU_S = 600  # far above what PICTURES_EACH ordinary pictures take
THREADS = 2


def main() -> None:
    """Read pictures until there are no more, or until this process is worn."""
    give_up_rights()
    be_ended_first()
    _bound_life()
    _import_decoders()
    pictures = 0
    while line := sys.stdin.buffer.readline():
        pictures += 1
        order = json.loads(line)
        answer, png = _answer(order, sys.stdin.buffer)
        answer["is_worn"] |= pictures >= PICTURES_EACH
        sys.stdout.buffer.write(json.dumps(answer | {"size": len(png)}).encode() + b"\n" + png)
        sys.stdout.buffer.flush()
        if answer["is_worn"]:
            return


def _answer(order: dict[str, Any], stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    room, limits = Room(**order["room"]), PictureLimits(**order["limits"])
    data = stream.read(order["size"])
    _bound_memory(room.memory_bytes)
    _bound_cpu(HEADER_CPU_S)

    def admit(pixels: int) -> None:
        if pixels > room.pixels and room != LARGE:
            raise RoomTooSmall
        _bound_cpu(DECODE_CPU_S + CPU_S_PER_MEGAPIXEL * pixels / 1e6)

    is_worn = room == LARGE  # its memory is left in pieces
    try:
        picture = decode(data, Format[order["kind"]], limits, admit)
    except RoomTooSmall:
        return {"is_too_large": True, "is_worn": False}, b""
    except PictureRefused as refusal:
        # A decoder failed or ran out of memory; the state of this process is unknown.
        is_sound = refusal.__cause__ is None and not isinstance(refusal.__context__, MemoryError)
        return {
            "refused": str(refusal),
            "message": refusal.message.to_json(),
            "is_worn": is_worn or not is_sound,
        }, b""
    finally:
        _bound_cpu(0)
    notes = [note.to_json() for note in picture.notes]
    answer = {"width": picture.width, "height": picture.height, "notes": notes, "is_worn": is_worn}
    return answer, picture.png


def _import_decoders() -> None:
    """Everything that is otherwise imported with the first picture of a format."""
    import pillow_heif  # noqa: F401
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = THREADS


def _bound_life() -> None:
    """Bounds for the whole life of the child: memory, CPU time, open files, and no files written."""
    if sys.platform == "win32":  # has no such bounds; the limits on declared sizes and the wall clock hold
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (LARGE.memory_bytes, LARGE.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (LIFETIME_CPU_S, LIFETIME_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _bound_memory(size: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (size, LARGE.memory_bytes))


def _bound_cpu(seconds: float) -> None:
    """End this process after so many more seconds of CPU time; 0 takes the bound away."""
    if sys.platform == "win32":
        return
    import signal

    signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends a process that has no handler


if __name__ == "__main__":
    main()
