"""Small files that ask for gigabytes or minutes cost one child process and get a sentence; others go on."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from conversations.errors import PictureRefused
from conversations.images import sandbox
from conversations.images.decode import Picture, PictureLimits
from conversations.images.formats import Format
from conversations.images.picture_reader import COSTLY_WAITING, SMALL_AT_ONCE, PictureReader
from conversations.images.sandbox import LARGE, SMALL, read_picture
from conversations.images.sandbox_child import CPU_S_PER_MEGAPIXEL, DECODE_CPU_S, HEADER_CPU_S, PICTURES_EACH
from tests.support.hostile_images import (
    avif,
    bmp,
    chunk,
    decoders,
    end_decoders,
    jpeg_of_size,
    photo,
    saved,
    small_png,
)

MIB = 2**20
REPOSITORY = Path(__file__).parents[3]
START_CPU_S = 3.0  # of the children, with much room for a slow machine
OWN_MEMORY_MIB = 96  # that the parent may need more: the file itself, a few times over
ORDINARY = saved(photo(), "PNG")


# -- files --------------------------------------------------------------------------------------------------


def crowded_exif(entries: int, block: int) -> bytes:
    """An EXIF directory whose entries all point at one block: read, it takes entries × block bytes."""
    start = 8 + 2 + 12 * entries + 4
    directory = b"".join(struct.pack("<HHII", 0x9000 + n, 7, block, start) for n in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + directory + bytes(4 + block)


def with_segments(*segments: bytes) -> bytes:
    """A fine JPEG with these before its own segments."""
    whole = saved(photo(), "JPEG")
    return whole[:2] + b"".join(segments) + whole[2:]


def segment(mark: int, body: bytes) -> bytes:
    return bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body


def jpeg_with_exif(exif: bytes) -> bytes:
    parts = (exif[place : place + 65_000] for place in range(0, len(exif), 65_000))
    return with_segments(*(segment(0xE1, b"Exif\0\0" + part) for part in parts))


def gif_with_extension(extension: bytes) -> bytes:
    """A fine GIF with this before its picture."""
    whole = saved(photo(mode="P"), "GIF")
    place = 13 + 3 * (2 << (whole[10] & 7))
    return whole[:place] + extension + whole[place:]


def avif_with_boxes(count: int) -> bytes:
    """A fine AVIF with empty boxes behind its own."""
    return avif(64, 48) + struct.pack(">I", 8) * 2 * count


def empty_frames(width: int, height: int, count: int) -> bytes:
    """An animation in which nothing is visible; its frames differ, so that none is dropped."""
    frames = [Image.new("RGBA", (width, height), (number, 0, 0, 0)) for number in range(count)]
    options = {"save_all": True, "append_images": frames[1:], "lossless": True, "exact": True, "method": 0}
    return saved(frames[0], "WEBP", **options)


EXIF = crowded_exif(16_000, 200_000)  # 3.2 GB in 400 KB

BOMBS: dict[str, Callable[[], bytes]] = {
    "png exif": lambda: small_png(chunk(b"eXIf", EXIF)),
    "png exif after the pixels": lambda: small_png(after=chunk(b"eXIf", EXIF)),
    "webp exif": lambda: saved(photo(), "WEBP", exif=EXIF),
    "jpeg exif": lambda: jpeg_with_exif(EXIF),
    "jpeg exif in a million pieces": lambda: with_segments(segment(0xE1, b"Exif\0\0abcd") * 700_000),
    "jpeg empty comments": lambda: with_segments(segment(0xFE, b"") * 2_500_000),
    "jpeg empty marks": lambda: with_segments(b"\xff\x01" * 4_000_000),
    "gif comment of single bytes": lambda: gif_with_extension(b"!\xfe" + b"\x01a" * 5_000_000 + b"\0"),
    "jpeg without an end, and without most of its pixels": lambda: jpeg_of_size(2000, 1900)[:-2] + bytes(MIB),
    "jpeg of a million starts": lambda: with_segments(b"\xff\xd8" * 4_000_000),
    "avif of a million boxes": lambda: avif_with_boxes(1_000_000),
    "webp of large empty frames": lambda: empty_frames(1900, 1900, 12),
    "png a million chunks": lambda: small_png(*[chunk(b"teSt", b"")] * 800_000),
    "bmp empty lines": lambda: bmp(2000, 1900, 8, 1, b"\0\0" * 5_000_000),
    "bmp a pixel a line": lambda: bmp(2000, 2000, 8, 1, b"\x01\x01\0\0" * 2000 + b"\0\1"),
}


# -- bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_asks_for_too_much_is_refused_within_bounds(name: str, tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(BOMBS[name]())
    (tmp_path / "2").write_bytes(ORDINARY)
    command = [sys.executable, "-m", "tests.support.hostile_images", str(tmp_path)]
    report = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    first, second = report["outcomes"]
    assert first == "read" or first.startswith("file_")
    assert second == "read"
    assert report["own_mib"] < OWN_MEMORY_MIB
    assert report["children_mib"] <= LARGE.memory_bytes / MIB
    most_s = START_CPU_S + HEADER_CPU_S + DECODE_CPU_S + CPU_S_PER_MEGAPIXEL * SMALL.pixels / 1e6
    assert report["children_cpu_s"] < most_s


def test_a_file_within_the_bounds_is_read_whatever_its_exif_claims() -> None:
    assert read_picture(jpeg_with_exif(crowded_exif(100, 4000))).width == 64


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_child_has_bounds_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    end_decoders()
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    read_picture(ORDINARY)
    (child,) = decoders()
    assert "DISCORD_TOKEN" not in child.environ()
    assert "NoNewPrivs:\t1" in Path(f"/proc/{child.pid}/status").read_text()
    assert child.rlimit(psutil.RLIMIT_AS) == (SMALL.memory_bytes, LARGE.memory_bytes)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_CPU)[1] < 3600
    assert Path(f"/proc/{child.pid}/oom_score_adj").read_text().strip() == "500"


# -- children -----------------------------------------------------------------------------------------------


def test_a_child_takes_one_picture_after_the_other_until_it_is_worn() -> None:
    read_picture(ORDINARY)
    seen = set()
    for _ in range(PICTURES_EACH + 1):
        read_picture(ORDINARY)
        seen |= {child.pid for child in decoders()}
    assert len(seen) <= 2 + SMALL_AT_ONCE


def test_a_child_killed_while_it_waited_is_replaced() -> None:
    read_picture(ORDINARY)
    end_decoders()
    assert read_picture(ORDINARY).width == 64


def test_a_stopped_child_is_ended_by_the_clock_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    end_decoders()
    read_picture(ORDINARY)
    (child,) = decoders()
    child.suspend()
    monkeypatch.setattr(sandbox, "SMALL", replace(SMALL, wall_s=0.2))
    with pytest.raises(PictureRefused, match="too hard to read"):
        read_picture(ORDINARY)
    monkeypatch.undo()
    assert not child.is_running()
    assert read_picture(ORDINARY).width == 64


def test_a_child_that_met_damage_is_not_used_again() -> None:
    end_decoders()
    read_picture(ORDINARY)
    (before,) = decoders()
    with pytest.raises(PictureRefused):
        read_picture(ORDINARY[:-40])
    assert not before.is_running()
    assert read_picture(ORDINARY).width == 64


def test_children_at_work_count_with_those_that_wait() -> None:
    pool = sandbox.DecoderPool()
    try:
        pool.prepare(2)
        with pool.child() as first:
            with pool.child():
                first.end()
            assert len(pool._idle) == 1
        assert len(pool._idle) == 2
        with pool.child() as third, pool.child() as fourth:
            assert third.is_usable
            assert fourth.is_usable
            assert len(pool._idle) == 0
    finally:
        pool.close()


# -- on an event loop ---------------------------------------------------------------------------------------


@pytest.fixture
def reader() -> Iterator[PictureReader]:
    reader = PictureReader()
    reader.prepare()
    yield reader
    reader.close()


def large_png(width: int = 4000, height: int = 3000) -> bytes:
    """Noise, which takes long to pack."""
    noise = zlib.compress(bytes((n * n) % 251 for n in range(width * 3 + 1)) * height, 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", noise) + chunk(b"IEND", b"")


async def test_a_small_picture_does_not_wait_for_large_ones(reader: PictureReader) -> None:
    large = [asyncio.create_task(reader.read(large_png())) for _ in range(2)]
    await asyncio.sleep(0)
    assert (await reader.read(ORDINARY)).width == 64
    assert not any(one.done() for one in large)
    assert [(await one).width for one in large] == [4000, 4000]


async def test_six_deadly_files_at_once_do_not_stop_others(reader: PictureReader) -> None:
    bombs = [BOMBS[name]() for name in ("gif comment of single bytes", "png exif")]  # far beyond the bounds
    six = [asyncio.create_task(reader.read(bomb)) for bomb in bombs * 3]
    assert (await reader.read(ORDINARY)).width == 64
    refused = await asyncio.gather(*six, return_exceptions=True)
    assert all(isinstance(one, PictureRefused) for one in refused)
    assert (await reader.read(ORDINARY)).width == 64


async def turned(reader: PictureReader, data: bytes, *users: str) -> Picture:
    """Read a file in the turn of these users, as the workflow does."""
    async with reader.turn(*users):
        return await reader.read(data, *users)


@pytest.mark.parametrize("shared", [True, False], ids=["one address", "the same users"])
async def test_users_of_costly_pictures_leave_room_for_others(
    reader: PictureReader, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    monkeypatch.setattr("conversations.images.picture_reader.COSTLY_S", 0.0)
    users = [f"user {number}" for number in range(SMALL_AT_ONCE)]
    for user in users:
        await turned(reader, ORDINARY, user, "10.0.0.1" if shared else "")
    if shared:  # new cookies do not help
        users = [f"new {user}" for user in users]
    bomb = BOMBS["gif comment of single bytes"]()
    bombs = [asyncio.create_task(turned(reader, bomb, user, "10.0.0.1" if shared else "")) for user in users]
    await asyncio.sleep(0)
    assert (await turned(reader, ORDINARY, "another", "")).width == 64
    assert not any(one.done() for one in bombs)
    reader.close()
    await asyncio.gather(*bombs, return_exceptions=True)


async def test_few_costly_pictures_wait_and_more_are_refused(
    reader: PictureReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.images.picture_reader.COSTLY_S", 0.0)
    await turned(reader, ORDINARY, "mallory")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(reader.turn("mallory"))
        waiting = [
            asyncio.create_task(turned(reader, ORDINARY, "mallory")) for _ in range(COSTLY_WAITING - 1)
        ]
        await asyncio.sleep(0)
        with pytest.raises(PictureRefused) as refusal:
            await turned(reader, ORDINARY, "mallory")
        assert refusal.value.message.code == "overloaded"
    assert [(await one).width for one in waiting] == [64] * len(waiting)


def test_a_picture_that_takes_long_is_read_at_a_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "ORDINARY_S", 0.1)
    own = seen = os.getpriority(os.PRIO_PROCESS, 0)
    with sandbox.pool.child() as child:
        bomb = BOMBS["gif comment of single bytes"]()
        reading = threading.Thread(target=refused, args=(child, bomb))
        reading.start()
        while reading.is_alive():
            with suppress(OSError):
                seen = max(seen, os.getpriority(os.PRIO_PROCESS, child._process.pid))
            reading.join(0.01)
        assert seen > own
        assert not child.is_usable


def refused(child: sandbox.DecoderProcess, gif: bytes) -> None:
    """Read a picture that is refused."""
    with suppress(PictureRefused):
        child.read(gif, Format.GIF, PictureLimits(), SMALL)


async def test_closing_cancels_what_is_being_read_at_once() -> None:
    reader = PictureReader()
    bomb = BOMBS["gif comment of single bytes"]()
    reading = [asyncio.create_task(reader.read(bomb)) for _ in range(SMALL_AT_ONCE + 1)]
    await asyncio.sleep(0.1)
    reader.close()
    async with asyncio.timeout(HEADER_CPU_S):
        cancelled = await asyncio.gather(*reading, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in cancelled)
