"""Some ninety files meant to hurt, made on the spot: bombs, lies, cuts, disguises, and fine rarities.

Run as a module with a folder, it reads every file there and prints the outcomes and what they took, as JSON.
"""

import io
import json
import resource
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pillow_heif
import psutil
from PIL import Image, ImageCms

from conversations.errors import PictureRefused
from conversations.images.image_store import read_picture
from tests.support.peak_memory import peak_mib

DATA = Path(__file__).parent / "data"
MIB = 2**20


@dataclass(frozen=True)
class Hostile:
    """A file, and whether it must be refused (True), must be read (False), or may be either (None)."""

    name: str
    make: Callable[[], bytes]
    refused: bool | None


# -- making files -----------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def pixels(row_bytes: int, rows: int, value: int = 7) -> bytes:
    """An IDAT of equal rows, made without holding them all."""
    squeeze, row = zlib.compressobj(1), b"\0" + bytes([value]) * row_bytes
    return chunk(b"IDAT", b"".join(squeeze.compress(row) for _ in range(rows)) + squeeze.flush())


SMALL = (ihdr(64, 48), pixels(64 * 3, 48))


def small_png(*extra: bytes, after: bytes = b"") -> bytes:
    return png(SMALL[0], *extra, SMALL[1], after)


def photo(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    ramp = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180))).convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_orientation(value: int, width: int = 64, height: int = 48) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return saved(photo(width, height, "CMYK"), "JPEG", exif=exif, progressive=True)


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    data = saved(photo(), "JPEG")
    return patched(data, b"\x08" + struct.pack(">HH", 48, 64), b"\x08" + struct.pack(">HH", height, width))


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, body: bytes = b"") -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0)
    palette = bytes(4 * 256) if bits == 8 else b""
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + head + palette + body


def avif(width: int, height: int) -> bytes:
    return saved(photo(width, height), "AVIF", speed=10)


def heic(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(photo(width, height, "RGBA").rotate(45)).save(buffer)
    return buffer.getvalue()


def ispe(width: int, height: int) -> bytes:
    return b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def gif_frames(count: int) -> bytes:
    """A GIF whose one frame is repeated."""
    data = saved(photo(8, 8, "P"), "GIF")
    start = data.index(b"\x2c\0\0\0\0\x08\0\x08\0")
    return data[:start] + data[start:-1] * count + b";"


def animation(kind: str) -> bytes:
    return saved(photo(), kind, save_all=True, append_images=[photo().rotate(30)])


# -- the files --------------------------------------------------------------------------------------------

Makers = dict[str, Callable[[], bytes]]


def squeezed(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def _bombs() -> Makers:
    return {
        "png text bomb": lambda: small_png(chunk(b"zTXt", b"Comment\0\0" + squeezed(32 * MIB))),
        "png text bomb after the pixels": lambda: small_png(
            after=chunk(b"zTXt", b"Comment\0\0" + squeezed(32 * MIB))
        ),
        "png international text bomb": lambda: small_png(
            chunk(b"iTXt", b"Comment\0\1\0\0\0" + squeezed(32 * MIB))
        ),
        "png profile bomb": lambda: small_png(chunk(b"iCCP", b"icc\0\0" + squeezed(32 * MIB))),
        "png of a hundred texts": lambda: small_png(
            *[chunk(b"zTXt", b"Comment\0\0" + squeezed(MIB - 1))] * 100
        ),
        "png of too many pixels": lambda: png(ihdr(6500, 6500, 1, 0), pixels(813, 6500)),
        "png claiming 10 gigapixels": lambda: png(ihdr(100_000, 100_000), SMALL[1]),
        "png claiming 4 billion a side": lambda: png(ihdr(2**32 - 1, 2**32 - 1), SMALL[1]),
        "png with a second, larger header": lambda: png(SMALL[0], ihdr(60_000, 60_000), SMALL[1]),
        "png one pixel wide": lambda: png(ihdr(1, 60_000), pixels(3, 60_000)),
        "png one pixel high": lambda: png(ihdr(60_000, 1), pixels(180_000, 1)),
        "png 1 to 30": lambda: png(ihdr(100, 3000), pixels(300, 3000)),
        "png of no size": lambda: png(ihdr(0, 0), SMALL[1]),
        "png of one pixel": lambda: png(ihdr(1, 1), pixels(3, 1)),
        "jpeg claiming 65500 a side": lambda: jpeg_of_size(65_500, 65_500),
        "jpeg of a thousand scans": _jpeg_of_many_scans,
        "gif claiming 65535 a side": lambda: saved(photo(8, 8, "P"), "GIF")[:6] + b"\xff" * 4 + b"\0\0\0;",
        "gif of 20000 frames": lambda: gif_frames(20_000),
        "bmp claiming 30000 a side": lambda: bmp(30_000, 30_000),
        "webp claiming 16384 a side": lambda: _webp_canvas(16_384, 16_384),
        "avif claiming 16384 a side": lambda: patched(avif(64, 48), ispe(64, 48), ispe(16_384, 16_384)),
        "avif of 268 megapixels": lambda: (DATA / "av1_16384.avif").read_bytes(),
        "eleven megabytes": lambda: saved(photo(), "PNG") + bytes(11 * MIB),
    }


def _jpeg_of_many_scans() -> bytes:
    data = saved(photo(2000, 2000), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1000 + data[-2:]


def _webp_canvas(width: int, height: int) -> bytes:
    data = saved(photo(mode="RGBA").rotate(45), "WEBP", save_all=True, append_images=[photo()])
    place = data.index(b"VP8X") + 12
    return (
        data[:place]
        + struct.pack("<I", width - 1)[:3]
        + struct.pack("<I", height - 1)[:3]
        + data[place + 6 :]
    )


def _cut_and_damaged() -> Makers:
    files: Makers = {
        "nothing": lambda: b"",
        "one byte": lambda: b"\x89",
        "only a png signature": lambda: b"\x89PNG\r\n\x1a\n",
        "png without pixels": lambda: png(SMALL[0]),
        "png claiming more rows than it has": lambda: png(ihdr(4000, 4000), SMALL[1]),
        "png with a broken header sum": lambda: small_png().replace(SMALL[0][-4:], b"\0\0\0\0", 1),
        "png of an impossible colour type": lambda: png(ihdr(64, 48, 8, 5), SMALL[1]),
        "png of an impossible depth": lambda: png(ihdr(64, 48, 7, 2), SMALL[1]),
        "png of noise for pixels": lambda: png(SMALL[0], chunk(b"IDAT", b"\x55" * 4000)),
        "jpeg of two marks": lambda: b"\xff\xd8\xff\xd9",
        "jpeg claiming 39 megapixels": lambda: jpeg_of_size(6500, 6000),
        "bmp of a header alone": lambda: bmp(64, 48),
        "bmp of 3 bits": lambda: bmp(64, 48, bits=3, body=bytes(9999)),
        "webp of a header alone": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(14),
        "heic of brands alone": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "avif of brands alone": lambda: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
        "gif with a wild code size": lambda: b"GIF89a\x40\0\x30\0\0\0\0,\0\0\0\0\x40\0\x30\0\0\xff\x01\0\0;",
    }
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF"):
        files[f"{kind.lower()} cut in half"] = partial(_half, kind)
    return files


def _half(kind: str) -> bytes:
    whole = saved(photo(200, 150, "P" if kind == "GIF" else "RGB"), kind)
    return whole[: len(whole) // 2]


def _strangers() -> Makers:
    return {
        "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "svg behind an xml head": lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><svg/>',
        "pdf": lambda: b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF",
        "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n{} loop\n",
        "web page": lambda: b"<!DOCTYPE html><html><img src=x onerror=alert(1)></html>",
        "zip": lambda: b"PK\x03\x04" + bytes(200),
        "tiff": lambda: saved(photo(), "TIFF"),
        "icon": lambda: saved(photo(), "ICO"),
        "targa": lambda: saved(photo(), "TGA"),
        "jpeg 2000": lambda: saved(photo(), "JPEG2000"),
        "xbm": lambda: b"#define im_width 64\n#define im_height 48\nstatic char im_bits[] = {0x00};",
        "video": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(500),
        "text": lambda: b"make the ball red",
        "noise": lambda: bytes((i * 131 + i // 7) % 256 for i in range(5000)),
    }


def _rarities() -> Makers:
    """Odd, but pictures: these must be read."""
    archive = b"PK\x05\x06" + bytes(18)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return {
        "png that is also an archive": lambda: small_png() + archive,
        "jpeg that is also an archive": lambda: saved(photo(), "JPEG") + archive,
        "jpeg that is also a web page": lambda: saved(photo(), "JPEG", comment=b"<script>alert(1)</script>"),
        "gif that is also a script": lambda: saved(photo(mode="P"), "GIF", comment=b"*/=1;alert(1)//"),
        "gif animated": lambda: animation("GIF"),
        "png animated": lambda: animation("PNG"),
        "webp animated": lambda: animation("WEBP"),
        "avif animated": lambda: animation("AVIF"),
        "jpeg cmyk": lambda: saved(photo(mode="CMYK"), "JPEG"),
        "jpeg of 40 megapixels, cmyk, progressive, on its side": lambda: with_orientation(6, 8000, 5000),
        "heic with alpha": lambda: heic(64, 48),
        "jpeg grey": lambda: saved(photo(mode="L"), "JPEG"),
        "jpeg of a wild orientation": lambda: with_orientation(99),
        "jpeg with broken exif": lambda: saved(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "jpeg with a broken profile": lambda: saved(photo(), "JPEG", icc_profile=b"\0" * 5000),
        "jpeg with a foreign profile": lambda: saved(photo(), "JPEG", icc_profile=lab),
        "png 16-bit grey": lambda: png(ihdr(64, 48, 16, 0), pixels(128, 48)),
        "png 16-bit rgb": lambda: png(ihdr(64, 48, 16, 2), pixels(384, 48)),
        "png 16-bit rgba": lambda: png(ihdr(64, 48, 16, 6), pixels(512, 48)),
        "png 16-bit grey with alpha": lambda: png(ihdr(64, 48, 16, 4), pixels(256, 48)),
        "png of one bit": lambda: png(ihdr(64, 48, 1, 0), pixels(8, 48)),
        "png palette with alpha": lambda: saved(photo(mode="P"), "PNG", transparency=bytes(range(256))),
        "png unpacking to more than it claims": lambda: png(SMALL[0], pixels(64 * 3, 100_000)),
        "png of 40 megapixels, 16 bits, alpha": lambda: png(ihdr(8000, 5000, 16, 6), pixels(64_000, 5000)),
        "bmp upside down": lambda: bmp(64, -48, body=bytes(64 * 48 * 3)),
        "webp with alpha": lambda: saved(photo(mode="RGBA").rotate(45), "WEBP"),
    }


def _doubtful() -> Makers:
    """Readers may differ about these; a picture and a sentence are both right."""
    return {
        "png palette without a palette": lambda: png(ihdr(64, 48, 8, 3), pixels(64, 48)),
        "png with an unknown critical chunk": lambda: small_png(chunk(b"EVIL", b"x" * 99)),
        "png of two billion frames": lambda: small_png(chunk(b"acTL", struct.pack(">II", 2**31, 0))),
        "png cut before its end mark": lambda: small_png()[:-12],
        "bmp of run lengths": lambda: bmp(4000, 4000, bits=8, compression=1, body=b"\xff\x07" * 300_000),
        "gif with a frame beyond the screen": lambda: patched(
            gif_frames(1), b"\x2c\0\0\0\0\x08\0\x08\0", b"\x2c\xff\xff\xff\xff\x08\0\x08\0"
        ),
        "avif of 268 megapixels claiming 64": lambda: patched(
            (DATA / "av1_16384.avif").read_bytes(), ispe(16_384, 16_384), ispe(64, 64)
        ),
        "avif of 9 megapixels claiming 64": lambda: patched(avif(3000, 3000), ispe(3000, 3000), ispe(64, 64)),
    }


FILES = (
    *(Hostile(name, make, refused=True) for name, make in _bombs().items()),
    *(Hostile(name, make, refused=True) for name, make in _cut_and_damaged().items()),
    *(Hostile(name, make, refused=True) for name, make in _strangers().items()),
    *(Hostile(name, make, refused=False) for name, make in _rarities().items()),
    *(Hostile(name, make, refused=None) for name, make in _doubtful().items()),
)


# -- reading them -----------------------------------------------------------------------------------------


def decoders() -> list[psutil.Process]:
    """The children of this process that read pictures."""
    return [
        one for one in psutil.Process().children() if "conversations.images.sandbox_child" in one.cmdline()
    ]


def end_decoders() -> None:
    for child in decoders():
        child.kill()
        child.wait()


def main() -> None:
    """Read a folder of files; print the outcome of each and what that took, as JSON."""
    files = sorted(Path(sys.argv[1]).iterdir())
    idle_mib = peak_mib()
    outcomes = [_outcome(file.read_bytes()) for file in files]
    own_mib = peak_mib() - idle_mib
    end_decoders()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = {
        "outcomes": outcomes,
        "own_mib": own_mib,
        "children_mib": children.ru_maxrss / 1024,  # of the largest, or of this process when it started one
        "children_cpu_s": children.ru_utime + children.ru_stime,
    }
    json.dump(report, sys.stdout)


def _outcome(data: bytes) -> str:
    """ "read", or the code of the refusal's message."""
    try:
        read_picture(data)
    except PictureRefused as refusal:
        return refusal.message.code
    return "read"


if __name__ == "__main__":
    main()
