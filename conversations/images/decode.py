"""From the bytes of a file to a clean picture, with every limit checked before anything is decoded.

Pillow's global settings stay as they are; the limits here are stricter than its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageFile

from conversations.errors import PictureRefused
from conversations.images.formats import Format, count_frames, open_lazily
from conversations.images.normalise import normalise, to_png
from conversations.messages import Message

MIB = 2**20


class RoomTooSmall(Exception):
    """The picture needs more memory than is set aside for it here."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may be."""

    bytes: int = 10 * MIB
    pixels: int = 40_000_000
    aspect: float = 20.0  # longer side over shorter side
    min_side: int = 8  # pixels
    frames: int = 1000  # of an animation, of which the first is used
    scans: int = 100  # of a progressive JPEG; each costs a pass over all pixels


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture safe to keep and to edit."""

    png: bytes  # upright, 8 bits, sRGB, RGB or RGBA, no metadata
    width: int  # pixels
    height: int
    notes: tuple[Message, ...] = ()  # what reading it changed


def decode(
    data: bytes, kind: Format, limits: PictureLimits, admit: Callable[[int], None] = lambda pixels: None
) -> Picture:
    """The picture in `data`, a file of that format; PictureRefused with a message for everything else.

    `admit` gets the number of pixels before any is decoded, and may raise RoomTooSmall. Needs memory
    and time without bound for some files: call it in a process that has bounds (apart.py).
    """
    try:
        with open_lazily(data, kind) as opened:
            frames = count_frames(data, kind, opened, limits.frames)
            _check_size(opened.width, opened.height, limits)
            _check_frames(frames, limits)
            if kind is Format.JPEG:
                _check_jpeg(data, opened, limits)
            admit(opened.width * opened.height)
            return _clean(opened, limits, _notes(data, kind, opened, frames))
    except (PictureRefused, RoomTooSmall):
        raise
    except MemoryError:
        raise PictureRefused("the picture needs more memory than there is", Message("file_memory")) from None
    except Exception as error:  # damaged bytes make the decoders raise nearly anything
        raise _damaged(kind) from error


def mebibytes(size: int) -> Message:
    """A number of bytes as "1.5 MiB"."""
    return Message("mebibytes", size=round(size / MIB, 1))


def check_bytes(data: bytes, limits: PictureLimits) -> None:
    """Refuse an empty file and one of too many bytes."""
    if not data:
        raise PictureRefused("the file is empty", Message("file_empty"))
    if len(data) > limits.bytes:
        raise PictureRefused(
            f"the file has {len(data)} bytes, more than {limits.bytes}",
            Message("file_large", size=mebibytes(len(data)), limit=mebibytes(limits.bytes)),
        )


def _check_size(width: int, height: int, limits: PictureLimits) -> None:
    size, text = Message("pixels", width=width, height=height), f"the picture is {width} × {height} pixels"
    if width < limits.min_side or height < limits.min_side:
        if max(width, height) > limits.aspect * limits.min_side:
            raise PictureRefused(f"{text}, too thin to edit", Message("file_thin", size=size))
        least = Message("pixels", width=limits.min_side, height=limits.min_side)
        raise PictureRefused(f"{text}, too small to edit", Message("file_small", size=size, least=least))
    if max(width, height) > limits.aspect * min(width, height):
        raise PictureRefused(
            f"{text}; one side may be at most {limits.aspect:g} times the other",
            Message("file_long", size=size, times=limits.aspect),
        )
    if width * height > limits.pixels:
        raise PictureRefused(
            f"{text}, more than {limits.pixels}",
            Message(
                "file_pixels", size=size, megapixels=round(width * height / 1e6), limit=limits.pixels / 1e6
            ),
        )


def _check_frames(frames: int, limits: PictureLimits) -> None:
    if frames > limits.frames:
        raise PictureRefused(
            f"the animation has more than {limits.frames} frames",
            Message("file_frames", count=limits.frames),
        )


def _check_jpeg(data: bytes, opened: ImageFile.ImageFile, limits: PictureLimits) -> None:
    # Each 8 × 8 block costs at least one bit. The decoder itself would fill what is missing with grey.
    if len(data) * 8 < opened.width * opened.height / 64:
        raise _damaged(Format.JPEG)
    # Inside coded data an 0xFF is always followed by 0x00 or a restart mark, so this counts scans (and those
    # of an embedded thumbnail).
    if data.count(b"\xff\xda") > limits.scans:
        raise PictureRefused(f"the JPEG file has more than {limits.scans} scans", Message("file_scans"))


def _damaged(kind: Format) -> PictureRefused:
    return PictureRefused(
        f"the {kind} file is damaged or incomplete", Message("file_damaged", kind=kind.value)
    )


def _clean(opened: ImageFile.ImageFile, limits: PictureLimits, notes: tuple[Message, ...]) -> Picture:
    picture = normalise(opened)
    if picture is not opened:
        opened.close()  # frees the pixels as decoded before the PNG is made
    _check_size(picture.width, picture.height, limits)  # some files only tell their true size now
    return Picture(to_png(picture), picture.width, picture.height, notes)


def _notes(data: bytes, kind: Format, opened: ImageFile.ImageFile, frames: int) -> tuple[Message, ...]:
    notes = []
    if frames > 1 and kind is Format.HEIC:
        notes.append(Message("note_main_picture", count=frames))
    elif frames > 1:
        notes.append(Message("note_first_frame"))
    if _channel_bits(data, kind, opened) > 8:
        notes.append(Message("note_8_bits"))
    return tuple(notes)


def _channel_bits(data: bytes, kind: Format, opened: ImageFile.ImageFile) -> int:
    if kind is Format.PNG:
        return data[24]  # IHDR is always the first chunk
    return int(opened.info.get("bit_depth", 8))
