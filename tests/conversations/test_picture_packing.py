"""Large pictures are packed after a while, and nobody notices but the disk."""

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversations.ai_mark import is_marked
from conversations.errors import PictureMissing
from conversations.images import packed_pictures
from conversations.images.image_store import ImageStore
from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed, packed_apart, unpacked
from conversations.images.picture_views import PictureViews
from conversations.picture_packing import AGE_S, LONGEST_AGE_S, PicturePacking
from conversations.thread_pools import ThreadPools
from mgie_engine.serving import pictures as engine_pictures

NOW = 1_700_000_000.0


def a_photo(mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Gentle slopes with a little noise; see-through in places where the mode is RGBA."""
    y, x = np.mgrid[0:600, 0:800]
    waves = np.stack([128 + 60 * np.sin(x / 90 + k) + 50 * np.cos(y / 70 - k) for k in range(len(mode))], -1)
    noise = np.random.default_rng(seed).normal(0, 0.5, waves.shape)
    return Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8), mode)


@pytest.fixture
def threads() -> Iterator[ThreadPools]:
    pools = ThreadPools()
    yield pools
    pools.close()


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def put(images: ImageStore, png: bytes, age_s: float = 2 * AGE_S) -> str:
    """Store a picture, so long ago."""
    key = images.put(png)
    os.utime(images.path(key), (NOW - age_s, NOW - age_s))
    return key


def packing_of(
    images: ImageStore,
    threads: ThreadPools,
    pack: packed_pictures.Pack = packed_apart,
    *,
    is_idle: bool = True,
) -> PicturePacking:
    return PicturePacking(images, threads, lambda: is_idle, lambda: NOW, pack)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("write", [to_png, engine_pictures.to_png, engine_pictures.to_result])
def test_a_packed_picture_gives_back_its_very_bytes(mode: str, write: Callable[[Image.Image], bytes]) -> None:
    png = write(a_photo(mode))
    small = packed(png)
    assert small is not None
    assert len(small) < packed_pictures.WORTH * len(png)
    assert unpacked(small) == png
    with Image.open(io.BytesIO(small)) as picture:
        assert is_marked(picture) == (write is engine_pictures.to_result)


def test_what_gains_little_or_was_written_by_another_stays_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    assert packed(to_png(Image.fromarray(noise))) is None
    file = io.BytesIO()
    a_photo().save(file, "PNG", compress_level=9)
    assert packed(file.getvalue()) is None


async def test_large_pictures_are_packed_once_they_are_old(
    images: ImageStore, threads: ThreadPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.picture_packing.LEAST_BYTES", 200_000)
    png = to_png(a_photo())
    old, new = put(images, png), put(images, to_png(a_photo(seed=2)), 0.5 * AGE_S)
    ancient, small = (
        put(images, to_png(a_photo(seed=3)), 2 * LONGEST_AGE_S),
        put(images, to_png(Image.new("RGB", (9, 9)))),
    )
    total = images.total_bytes()
    saved = await packing_of(images, threads).pack_old()
    assert [images.is_packed(key) for key in (old, new, ancient, small)] == [True, False, False, False]
    assert saved == len(png) - images.size(old) > 0
    assert images.total_bytes() == total - saved
    assert images.get(old) == png == await PictureViews(images, threads).file(old)
    assert images.path(old).stat().st_mtime == NOW - 2 * AGE_S  # it is not younger for that
    assert images.put(png) == old
    assert images.is_packed(old)  # the same picture again: it is there
    assert await packing_of(images, threads).pack_old() == 0


async def test_a_busy_bot_packs_nothing(
    images: ImageStore, threads: ThreadPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.picture_packing.LEAST_BYTES", 0)
    key = put(images, to_png(a_photo()))
    assert await packing_of(images, threads, is_idle=False).pack_old() == 0
    assert not images.is_packed(key)


async def test_a_picture_deleted_while_it_is_packed_stays_deleted(
    images: ImageStore, threads: ThreadPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.picture_packing.LEAST_BYTES", 0)
    key = put(images, to_png(a_photo()))

    async def deleted_meanwhile(png: bytes) -> bytes | None:
        images.delete(key)
        return packed(png)

    assert await packing_of(images, threads, deleted_meanwhile).pack_old() == 0
    assert not images.path(key).exists()
    assert images.total_bytes() == 0


async def test_a_picture_that_cannot_be_packed_is_tried_once(
    images: ImageStore, threads: ThreadPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.picture_packing.LEAST_BYTES", 0)
    put(images, to_png(a_photo()))
    tried = []

    async def fails(png: bytes) -> bytes | None:
        tried.append(png)
        return None

    work = packing_of(images, threads, fails)
    assert [await work.pack_old(), await work.pack_old()] == [0, 0]
    assert len(tried) == 1


async def test_the_child_ends_with_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_pictures, "_CHILD", "timeit")  # does not read
    waiting = asyncio.create_task(packed_apart(b"x" * 10_000_000))
    await asyncio.sleep(0.1)
    waiting.cancel()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
    monkeypatch.setattr(packed_pictures, "PACK_S", 0.0)
    assert await packed_apart(b"x" * 10_000_000) is None


def test_a_damaged_packed_picture_is_missing_until_it_is_posted_again(images: ImageStore) -> None:
    png = to_png(a_photo())
    key, small = put(images, png), packed(png)
    assert small is not None
    images.replace(key, small[:2000])
    with pytest.raises(PictureMissing):
        images.get(key)
    assert not images.is_sound(key, images.stored(key))
    images.put(png)
    assert images.get(key) == png
