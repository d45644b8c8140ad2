"""Drawings of stored pictures: once for all who ask, large ones one at a time, none of a deleted one."""

import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from conversations.errors import PictureMissing
from conversations.images.diff_image import change_map
from conversations.images.image_store import ImageStore
from conversations.images.picture_views import KEPT, PictureViews
from conversations.thread_pools import ThreadPools
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import workflow_room

NO_KEY = "0" * 64


@dataclass(eq=False)
class Drawing:
    """A function of a picture file that counts its calls, and can be held."""

    begun: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    calls: int = 0
    running: int = 0
    most: int = 0  # at once

    def __call__(self, *files: bytes) -> int:
        self.calls += 1
        self.begun.set()
        self.running += 1
        self.most = max(self.most, self.running)
        self.release.wait()
        self.running -= 1
        if self.error:
            raise self.error
        return sum(map(len, files))


@pytest.fixture
def images(tmp_path) -> ImageStore:
    return ImageStore(tmp_path)


@pytest.fixture
async def views(images) -> AsyncIterator[PictureViews]:
    threads = ThreadPools()
    yield PictureViews(images, threads)
    threads.close()


async def test_twenty_who_ask_at_once_get_one_drawing(images, views):
    keys, drawing = [images.put(a_picture(9)), images.put(a_picture(10))], Drawing()
    asked = [asyncio.create_task(views.draw_once(drawing, keys)) for _ in range(20)]
    drawing.release.set()
    assert len(set(await asyncio.gather(*asked))) == 1
    await views.draw_once(drawing, keys)
    assert drawing.calls == 1


async def test_maps_of_large_pictures_are_drawn_one_at_a_time(images, views):
    large, drawing = [images.put(a_picture(2100, 1000 + more)) for more in range(6)], Drawing()
    drawing.release.set()
    pairs = [[a, b] for a in large for b in large if a != b]
    await asyncio.gather(*(views.draw_once(drawing, pair) for pair in pairs))
    assert (drawing.calls, drawing.most) == (30, 1)


async def test_one_who_leaves_does_not_take_the_drawing_from_others(images, views):
    key, drawing = images.put(a_picture()), Drawing()
    leaves, stays = (asyncio.create_task(views.draw_once(drawing, [key])) for _ in range(2))
    await asyncio.to_thread(drawing.begun.wait)
    leaves.cancel()
    await asyncio.wait([leaves])
    drawing.release.set()
    assert await stays == len(a_picture())
    assert drawing.calls == 1


async def test_a_deleted_picture_is_shown_no_more(images, views):
    key, drawing = images.put(a_picture()), Drawing()
    drawing.release.set()
    await views.draw_once(drawing, [key])
    images.delete(key)
    with pytest.raises(PictureMissing):
        await views.draw_once(drawing, [key])
    with pytest.raises(PictureMissing):
        await views.draw(change_map, [NO_KEY, NO_KEY])
    with pytest.raises(PictureMissing):
        await views.draw(change_map, ["../secret"] * 2)


@pytest.mark.parametrize("damage", [b"", b"no picture", a_picture()[:-30], a_picture()[:60] + bytes(60)])
async def test_a_damaged_picture_is_missing_until_it_is_posted_again(images, views, damage):
    key = images.put(a_picture())
    images.path(key).write_bytes(damage)
    for _ in range(2):
        with pytest.raises(PictureMissing):
            await views.draw_once(change_map, [key, key])
    assert images.put(a_picture()) == key
    assert (await views.draw_once(change_map, [key, key])).changed == 0


async def test_a_failure_of_the_machine_is_no_missing_picture_and_is_not_kept(images, views):
    key, is_broken = images.put(a_picture()), True

    def draw(file: bytes) -> int:
        if is_broken:
            raise OSError(errno.EMFILE, "Too many open files")
        return len(file)

    with pytest.raises(OSError, match="Too many open files"):
        await views.draw_once(draw, [key])
    is_broken = False
    assert await views.draw_once(draw, [key]) == len(a_picture())


async def test_a_drawing_that_fails_when_nobody_waits_any_more_is_not_kept(images, views):
    key, drawing = images.put(a_picture()), Drawing()
    leaves = asyncio.create_task(views.draw_once(drawing, [key]))
    await asyncio.to_thread(drawing.begun.wait)
    leaves.cancel()
    await asyncio.wait([leaves])
    drawing.error = ValueError("no room")
    drawing.release.set()
    with pytest.raises(ValueError, match="no room"):  # takes the one under way
        await views.draw_once(drawing, [key])
    drawing.error = None
    assert await views.draw_once(drawing, [key]) == len(a_picture())


async def test_only_the_newest_drawings_are_kept(images, views):
    drawing = Drawing()
    drawing.release.set()
    keys = [images.put(a_picture(n + 1)) for n in range(KEPT + 1)]
    for key in keys:
        await views.draw_once(drawing, [key])
    await views.draw_once(drawing, [keys[-1]])
    assert drawing.calls == KEPT + 1
    await views.draw_once(drawing, [keys[0]])
    assert drawing.calls == KEPT + 2


async def test_a_small_edit_is_done_while_large_drawings_are_held(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        large, drawing = d.images.put(a_picture(2100, 2000)), Drawing()
        held = [asyncio.create_task(d.workflow.pictures.draw(drawing, [large])) for _ in range(12)]
        try:
            edit = await d.accepted("make it red", picture=a_picture())
            await d.idle()
            assert len(d.chat.finals(edit.card.turn_id)) == 1
        finally:
            drawing.release.set()
            await asyncio.gather(*held)
    assert drawing.most == 1
