"""Where the first picture of a JPEG file ends, and in how many passes it is coded.

Phones put a video or more pictures behind the first one, and some programs leave out the end marker.
"""

import re
from dataclasses import dataclass

# In coded data an 0xFF is always followed by 0x00 or a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_START, END, _SCAN = 0xD8, b"\xff\xd9", 0xDA


@dataclass(frozen=True, slots=True)
class JpegExtent:
    """The first picture of a file: passes over its pixels, length in bytes, and whether its end is marked."""

    scans: int
    size: int
    has_end: bool


def extent(data: bytes, most_scans: int) -> JpegExtent:
    """Walk the markers of the first picture; stops where there are more passes than `most_scans`."""
    place, scans = 2, 0
    while found := _MARKER.search(data, place):
        place, mark = found.end(), data[found.end() - 1]
        if mark == END[1]:
            return JpegExtent(scans, place, True)
        if mark == _START:
            continue
        scans += mark == _SCAN
        if scans > most_scans:
            break
        place += int.from_bytes(data[place : place + 2], "big")
    return JpegExtent(scans, len(data), False)


def ended(data: bytes, padding: int = 0) -> bytes:
    """The file with the end marker it lacks, behind so many bytes of noise.

    A decoder makes up what is missing, so a picture that does not depend on the noise is complete.
    """
    body = data[:-1] if data.endswith(END[:1]) else data
    return body + b"\xaa" * padding + END
