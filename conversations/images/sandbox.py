"""Reading HEIC and AVIF in a process of its own, with a bound on memory and time.

Their files may declare one size and unpack to another, and their decoders are large and young. Here a bomb or
a crash costs one short-lived process, and the person gets a sentence.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from PIL import AvifImagePlugin

from conversations.errors import PictureRefused
from conversations.images.decode import Picture, PictureLimits, decode
from conversations.images.formats import Format

MEMORY_BYTES = 896 * 2**20  # of address space; a 40 megapixel picture with alpha needs 610 MiB
TIME_S = 30
_PARENT = Path(__file__).parents[2]  # where the child finds this package, installed or not
_THREADS = 2
_ONE_AT_A_TIME = threading.Lock()


def decode_apart(data: bytes, kind: Format, limits: PictureLimits) -> Picture:
    """As decoding.decode, in a process of its own; what kills that process is refused as damaged."""
    command = [sys.executable, "-m", "conversations.images.sandbox", kind.name, json.dumps(asdict(limits))]
    # Two arenas at most: each reserves address space, which is what the bound counts.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}
    try:
        with _ONE_AT_A_TIME:
            child = subprocess.run(
                command, input=data, capture_output=True, timeout=TIME_S, env=environment, cwd=_PARENT
            )
        answer, _, png = child.stdout.partition(b"\n")
        told = json.loads(answer)
    except (subprocess.TimeoutExpired, ValueError):
        raise PictureRefused(
            f"The {kind} file is damaged or too hard to read; please send it as PNG or JPEG."
        ) from None
    if "refused" in told:
        raise PictureRefused(told["refused"])
    return Picture(png, told["width"], told["height"], tuple(told["notes"]))


def main() -> None:
    """The child: the file comes on stdin; a line of JSON and the PNG go to stdout."""
    kind, limits = Format[sys.argv[1]], PictureLimits(**json.loads(sys.argv[2]))
    _bound_memory()
    AvifImagePlugin.DEFAULT_MAX_THREADS = _THREADS
    try:
        picture = decode(sys.stdin.buffer.read(), kind, limits)
        told = {"width": picture.width, "height": picture.height, "notes": picture.notes}
        png = picture.png
    except PictureRefused as refusal:
        told, png = {"refused": str(refusal)}, b""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + png)


def _bound_memory() -> None:
    if sys.platform == "win32":  # has no such bound; the limits on declared sizes still hold
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))


if __name__ == "__main__":
    main()
