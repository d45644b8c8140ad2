"""Reads the XMP of a picture file from its bytes, without the library that wrote it."""

import struct
from xml.etree import ElementTree

_SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_IN_PNG = b"XML:com.adobe.xmp\0\0\0\0\0"  # uncompressed, no language, no translated key


def source_type(file: bytes) -> str | None:
    """The last part of IPTC's DigitalSourceType; None where the file has none."""
    packet = _packet(file)
    if packet is None:
        return None
    found = (tag.get(_SOURCE_TYPE) for tag in ElementTree.fromstring(packet).iter())
    return next((value.rpartition("/")[2] for value in found if value), None)


def _packet(file: bytes) -> str | None:
    if file.startswith(b"\x89PNG"):
        parts = _png_chunks(file)
    elif file.startswith(b"\xff\xd8"):
        parts = _jpeg_segments(file)
    else:
        assert file[8:12] == b"WEBP"
        parts = _webp_chunks(file)
    return next((part.decode().lstrip("\ufeff") for part in parts), None)


def _png_chunks(file: bytes):
    at = 8
    while at < len(file):
        size, kind = struct.unpack_from(">I4s", file, at)
        data = file[at + 8 : at + 8 + size]
        if kind == b"iTXt" and data.startswith(_IN_PNG):
            yield data.removeprefix(_IN_PNG)
        at += size + 12


def _jpeg_segments(file: bytes):
    at = 2
    while file[at + 1] != 0xDA:  # the picture itself begins
        size = struct.unpack_from(">H", file, at + 2)[0]
        data = file[at + 4 : at + 2 + size]
        if data.startswith(_IN_JPEG):
            yield data.removeprefix(_IN_JPEG)
        at += size + 2


def _webp_chunks(file: bytes):
    at = 12
    while at < len(file):
        kind, size = struct.unpack_from("<4sI", file, at)
        if kind == b"XMP ":
            yield file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
