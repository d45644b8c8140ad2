"""From the bytes of a file to a clean picture, with every limit checked before anything is decoded.

Pillow's global settings stay as they are; the limits here are stricter than its own.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageFile

from conversations.errors import PictureRefused
from conversations.images import jpeg, webp
from conversations.images.colour import CodePoints, code_points
from conversations.images.formats import Format, count_frames, open_lazily
from conversations.images.normalise import normalise, to_png
from conversations.messages import Message

MIB = 2**20
FRAMES_TRIED = 10  # of an animation that begins with nothing
_NOISE_BYTES = 4096  # behind a JPEG without an end


class RoomTooSmall(Exception):
    """The picture needs more memory than is set aside for it here."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may be."""

    bytes: int = 10 * MIB
    pixels: int = 40_000_000
    jpeg_pixels: int = 110_000_000  # of a JPEG, which can be decoded at a half, a quarter or an eighth
    heic_pixels: int = 51_000_000  # of a HEIC, which is made smaller after it is decoded
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


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """The pixels of a file: upright, 8 bits, sRGB, RGB or RGBA."""

    image: Image.Image
    notes: tuple[Message, ...]


Admit = Callable[[int], None]  # gets the number of pixels before they are decoded; may raise RoomTooSmall


def decode(data: bytes, kind: Format, limits: PictureLimits, admit: Admit = lambda pixels: None) -> Picture:
    """The picture in `data`, a file of that format; PictureRefused with a message for everything else.

    Needs memory and time without bound for some files: call it in a process that has bounds (sandbox.py).
    """
    decoded = decode_image(data, kind, limits, admit)
    try:
        return Picture(to_png(decoded.image), *decoded.image.size, decoded.notes)
    except MemoryError:
        raise _out_of_memory() from None


def decode_image(
    data: bytes, kind: Format, limits: PictureLimits, admit: Admit = lambda pixels: None
) -> DecodedImage:
    """As decode, without a new file."""
    try:
        if kind is not Format.JPEG:
            return _read(data, kind, limits, admit)
        extent = jpeg.extent(data, limits.scans)
        if extent.scans > limits.scans:
            raise PictureRefused(f"the JPEG file has more than {limits.scans} scans", Message("file_scans"))
        if extent.has_end:
            return _read(data[: extent.size], kind, limits, admit)
        with open_lazily(jpeg.ended(data, _NOISE_BYTES), kind) as noisy:
            _check_size(noisy, kind, limits)
            admit(noisy.width * noisy.height)
            _draft(noisy, kind, limits)
            checksum = _checksum(noisy)
        return _read(jpeg.ended(data), kind, limits, admit, checksum)
    except (PictureRefused, RoomTooSmall):
        raise
    except MemoryError:
        raise _out_of_memory() from None
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


def _read(
    data: bytes, kind: Format, limits: PictureLimits, admit: Admit, checksum: int | None = None
) -> DecodedImage:
    """The picture; refused as damaged if its pixels have another checksum."""
    if kind is Format.WEBP and (claimed := webp.claimed_size(data)):
        _check_shape(*claimed, limits)
        _check_pixels(*claimed, limits.pixels)
        admit(claimed[0] * claimed[1])
    with open_lazily(data, kind) as opened:
        frames = count_frames(data, kind, opened, limits.frames)
        full = opened.width * opened.height
        _check_size(opened, kind, limits)
        _check_frames(frames, limits)
        if kind is Format.JPEG:
            _check_jpeg(data, full)
        admit(full)
        _draft(opened, kind, limits)
        if checksum is not None and _checksum(opened) != checksum:
            raise _damaged(kind)
        depth = _channel_bits(data, kind, opened)
        frame = _frame(opened, code_points(data, kind, opened.info), 1 if kind is Format.HEIC else frames)
        picture = frame.picture
        if picture is not opened:
            opened.close()  # frees the pixels as decoded before the PNG is made
    if kind is Format.HEIC and picture.width * picture.height > limits.pixels:
        picture = picture.reduce(_scale(*picture.size, limits))
    _check_shape(*picture.size, limits)  # some files only tell their true size now
    _check_pixels(*picture.size, limits.pixels)
    notes = [*_frame_notes(kind, frames, frame.number), *frame.notes]
    if depth > 8:
        notes.append(Message("note_8_bits"))
    if picture.width * picture.height < full:
        size = Message("pixels", width=picture.width, height=picture.height)
        notes.append(Message("note_reduced", megapixels=round(full / 1e6), size=size))
    return DecodedImage(picture, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Frame:
    picture: Image.Image
    notes: tuple[Message, ...]
    number: int  # from 0


def _frame(opened: ImageFile.ImageFile, points: CodePoints | None, frames: int) -> _Frame:
    """The first frame in which anything is visible, or frame 0 if that is none of the first FRAMES_TRIED.

    All of them share the time that one may take.
    """
    info = dict(opened.info)
    first = _Frame(*normalise(opened, points), 0)
    if frames == 1 or not _is_empty(first.picture):
        return first
    for number in (*range(1, min(frames, FRAMES_TRIED)), 0):
        opened.seek(number)
        opened.info = info | opened.info
        frame = _Frame(*normalise(opened, points), number)
        if not _is_empty(frame.picture):
            break
    return frame


def _is_empty(picture: Image.Image) -> bool:
    return picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0)


def _checksum(opened: ImageFile.ImageFile) -> int:
    opened.load()
    return zlib.crc32(opened.tobytes())


def _draft(opened: ImageFile.ImageFile, kind: Format, limits: PictureLimits) -> None:
    """Have a JPEG with too many pixels decoded smaller."""
    if kind is Format.JPEG and opened.width * opened.height > limits.pixels:
        scale = _scale(opened.width, opened.height, limits)
        opened.draft(None, (opened.width // scale, opened.height // scale))


def _scale(width: int, height: int, limits: PictureLimits) -> int:
    """By how much to divide both sides: 2, 4 or 8."""
    fits = (n for n in (2, 4) if -(-width // n) * -(-height // n) <= limits.pixels)
    return next(fits, 8)


def _check_size(opened: ImageFile.ImageFile, kind: Format, limits: PictureLimits) -> None:
    largest = {Format.JPEG: limits.jpeg_pixels, Format.HEIC: limits.heic_pixels}.get(kind, limits.pixels)
    _check_shape(opened.width, opened.height, limits)
    _check_pixels(opened.width, opened.height, largest)


def _check_shape(width: int, height: int, limits: PictureLimits) -> None:
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


def _check_pixels(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        size = Message("pixels", width=width, height=height)
        raise PictureRefused(
            f"the picture is {width} × {height} pixels, more than {limit}",
            Message("file_pixels", size=size, megapixels=round(width * height / 1e6), limit=limit / 1e6),
        )


def _check_frames(frames: int, limits: PictureLimits) -> None:
    if frames > limits.frames:
        raise PictureRefused(
            f"the animation has more than {limits.frames} frames",
            Message("file_frames", count=limits.frames),
        )


def _check_jpeg(data: bytes, pixels: int) -> None:
    # Each 8 × 8 block costs at least one bit. The decoder itself would fill what is missing with grey.
    if len(data) * 8 < pixels / 64:
        raise _damaged(Format.JPEG)


def _out_of_memory() -> PictureRefused:
    return PictureRefused("the picture needs more memory than there is", Message("file_memory"))


def _damaged(kind: Format) -> PictureRefused:
    return PictureRefused(
        f"the {kind} file is damaged or incomplete", Message("file_damaged", kind=kind.value)
    )


def _frame_notes(kind: Format, frames: int, number: int) -> list[Message]:
    if frames == 1:
        return []
    if kind is Format.HEIC:
        return [Message("note_main_picture", count=frames)]
    return [Message("note_later_frame", frame=number + 1) if number else Message("note_first_frame")]


def _channel_bits(data: bytes, kind: Format, opened: ImageFile.ImageFile) -> int:
    if kind is Format.PNG:
        return data[24]  # IHDR is always the first chunk
    return int(opened.info.get("bit_depth", 8))
