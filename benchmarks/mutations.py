"""Seeded mutations of pictures, texts and JSON: the same seed gives the same corpus."""

import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from tests.support.hostile_images import FILES, animation, avif, bmp, heic, photo, saved

WORDS = ("make the ball red", "undo", "back to v1", "redo", "stop", "darker", "rembobina", "mach es rot")
SNIPPETS = (
    *(
        "\u202e",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "\r\n",
        "🎨" * 50,
        "e\u0301" * 200,
        "﷽" * 20,
    ),
    *("@everyone", "<@0>", "<@&1>", "<#99999999999999999999>", "<:a:1>", "<t:99999999999999:R>", "</edit:0>"),
    *(
        "[here](https://example.org)",
        "||spoiler||",
        "```\n",
        "> > >",
        "# ",
        "-# ",
        "\\",
        "`" * 100,
        "_*~" * 60,
    ),
    *(
        "{count}",
        "%s%n",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "'; DROP TABLE turns; --",
        "../" * 30,
        "v" + "9" * 400,
    ),
    *("cfg 1e999", "seed -1", "steps NaN", "a" * 1990, "ß" * 1500, " " * 1000, "\n" * 500),
)
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
JSON_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "8", "NaN", "../..", "\x00\x1b", "a" * 5000, [], [1], [[[[]]]], {}, {"a": {"b": None}}),
)


def picture_bases() -> dict[str, list[bytes]]:
    """Good pictures by format, small so that many can be read, in the variants that decoders tell apart."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    return {
        "PNG": [
            saved(photo(), "PNG"),
            saved(photo(mode="RGBA"), "PNG", exif=exif),
            saved(photo(mode="P"), "PNG", transparency=bytes(range(256))),
            saved(photo(mode="L"), "PNG", bits=4),
            animation("PNG"),
        ],
        "JPEG": [
            saved(photo(), "JPEG", exif=exif),
            saved(photo(), "JPEG", progressive=True),
            saved(photo(mode="CMYK"), "JPEG"),
            saved(photo(mode="L"), "JPEG", icc_profile=b"\0" * 300),
        ],
        "WEBP": [
            saved(photo(), "WEBP", exif=exif),
            saved(photo(mode="RGBA").rotate(45), "WEBP", lossless=True),
            animation("WEBP"),
        ],
        "GIF": [saved(photo(mode="P"), "GIF", comment=b"x" * 300), animation("GIF")],
        "BMP": [saved(photo(), "BMP"), bmp(64, 48, bits=8, compression=1, body=b"\x40\x07\0\0" * 48)],
        "HEIC": [heic(64, 48)],
        "AVIF": [avif(64, 48), animation("AVIF")],
    }


def noise_picture(side_px: int, chance: random.Random) -> bytes:
    """A PNG of noise, unlike any other."""
    return saved(Image.frombytes("RGB", (side_px, side_px), chance.randbytes(3 * side_px**2)), "PNG")


def hostile_files() -> list[bytes]:
    """The hand-made hostile files that are small enough to be mutated."""
    return [data for file in FILES if len(data := file.make()) < 300_000]


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """One to eight changes to bytes, most of them in the first kilobyte, where headers are."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        chance.choice(_CHANGES)(changed, chance, others)
    if changed[:8] == b"\x89PNG\r\n\x1a\n" and chance.random() < 0.8:
        return _with_right_sums(bytes(changed))  # else nearly every change ends at a checksum
    return bytes(changed)


def _place(data: bytearray, chance: random.Random) -> int:
    end = min(len(data), 1024) if chance.random() < 0.7 else len(data)
    return chance.randrange(end) if end else 0


def _flip(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _number(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at, size = _place(data, chance), chance.choice((1, 2, 4))
    order: Any = chance.choice(("big", "little"))
    value = chance.choice(NUMBERS) & (256**size - 1)
    data[at : at + size] = value.to_bytes(size, order)


def _cut(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    del data[_place(data, chance) :]


def _drop(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, chance)
    del data[at : at + chance.randrange(1, 64)]


def _repeat(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at, size = _place(data, chance), chance.randrange(1, 64)
    data[at:at] = data[at : at + size] * chance.choice((1, 2, 300))


def _noise(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, chance)
    data[at:at] = chance.randbytes(chance.randrange(1, 64))


def _splice(data: bytearray, chance: random.Random, others: Sequence[bytes]) -> None:
    other = chance.choice(others) if others else b""
    at, start = _place(data, chance), chance.randrange(len(other) + 1)
    data[at : at + 256] = other[start : start + 256]


_CHANGES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    *(_flip, _flip, _number, _number, _number),
    *(_cut, _drop, _repeat, _noise, _splice),
)


def _with_right_sums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what they hold now."""
    made, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if at + 12 + size > len(data):
            break
        body = data[at + 4 : at + 8 + size]
        made += data[at : at + 8 + size] + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return bytes(made) + data[at:]


def mutated_text(chance: random.Random) -> str:
    """Something a user may write: ordinary words with what text handling gets wrong."""
    parts = [chance.choice(WORDS)]
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        parts.insert(chance.randrange(len(parts) + 1), chance.choice(SNIPPETS))
    if chance.random() < 0.2:
        parts.append("".join(chr(chance.randrange(1, 0xD800)) for _ in range(chance.randrange(1, 300))))
    return chance.choice((" ", "")).join(parts)[:4000]


def mutated_json(text: str, chance: random.Random) -> str:
    """A JSON object with one to three values replaced, dropped or doubled."""
    data = json.loads(text)
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = data
        while True:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.8:
                place = place[key]
                continue
            break
        if chance.random() < 0.2:
            del place[key]
        elif isinstance(place, list) and chance.random() < 0.3:
            place.extend([place[key]] * chance.choice((1, 50)))
        else:
            place[key] = chance.choice(JSON_VALUES)
        if not data:
            break
    return json.dumps(data)
