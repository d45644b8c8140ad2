"""The size that a WebP file claims: its decoder takes memory for that as soon as it opens a file."""

import struct

_BEGIN = 12  # of the first chunk, behind "RIFF", a size and "WEBP"
_FRAME_MARK = b"\x9d\x01\x2a"  # of lossy pixels


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the first chunk; None where it is none of the three that begin a WebP file."""
    kind, body = data[_BEGIN : _BEGIN + 4], data[_BEGIN + 8 : _BEGIN + 18]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[place : place + 3], "little") + 1 for place in (4, 7))
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == _FRAME_MARK:
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None
