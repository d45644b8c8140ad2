"""What pictures take on the disk has limits; nothing in use goes for them, and a refusal says what helps."""

import errno
import logging
import os
import random
import shutil
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from bot.chat.replies import Accepted, Note
from conversations.messages import Message
from conversations.picture_budget import KEPT_SESSIONS, StorageLimits
from conversations.turn import TurnState
from tests.support.english import in_english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, echo
from tests.support.workflow_room import WorkflowRoom, workflow_room

SIDE = 64
ONE = 13_000  # bytes, a little more than `noise` takes


class Usage(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


def noise(seed: int) -> bytes:
    """A PNG that does not compress, each of another picture."""
    file = BytesIO()
    pixels = random.Random(seed).randbytes(SIDE * SIDE * 3)
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(file, "PNG")
    return file.getvalue()


async def uploads(d: WorkflowRoom, numbers: Iterable[int], user: str = "ann") -> list[str]:
    """One session per picture, each in a channel of its own; the keys."""
    keys = []
    for number in numbers:
        reply = await d.workflow.handle(d.asked("", user, f"c{number}", picture=noise(number)))
        assert not isinstance(reply, Note), in_english(reply.text)
        session = await d.store.session_for_channel(f"paper:c{number}")
        assert session is not None
        assert session.root.image is not None
        keys.append(session.root.image)
        d.clock.now += 60
    return keys


def stored(d: WorkflowRoom, keys: Iterable[str]) -> list[bool]:
    return [d.images.size(key) > 0 for key in keys]


async def test_the_oldest_unused_pictures_of_a_user_go_first(tmp_path):
    limits = StorageLimits(per_user=(KEPT_SESSIONS + 4) * ONE)
    async with workflow_room(tmp_path, EchoEditor(), storage=limits) as d:
        others = await uploads(d, [100], "ben")
        keys = await uploads(d, range(KEPT_SESSIONS + 3))
        await d.accepted("make it red", channel="c0")  # so the first session is used again
        await d.idle()
        newest = await uploads(d, [98, 99])
        assert stored(d, keys) == [True, False, *[True] * (KEPT_SESSIONS + 1)]
        assert stored(d, others + newest) == [True] * 3
        session = await d.store.session_for_channel("paper:c99")
    assert session is not None
    assert [in_english(note) for note in session.root.notes] == [
        "To make room, 1 of your oldest unused pictures was deleted."
    ]


async def test_pictures_in_use_stay_and_the_user_is_told_what_to_do(tmp_path):
    limits = StorageLimits(per_user=KEPT_SESSIONS * ONE)
    async with workflow_room(tmp_path, EchoEditor(), storage=limits) as d:
        keys = await uploads(d, range(KEPT_SESSIONS))
        refused = await d.workflow.handle(d.asked("", "ann", "c9", picture=noise(9)))
        assert isinstance(refused, Note)
        assert in_english(refused.text).startswith("Your pictures take 0.1 MiB of the 0.1 MiB")
        assert stored(d, keys) == [True] * KEPT_SESSIONS
        refused = await d.workflow.handle(d.asked("make it red", "ann", "c0"))
        assert isinstance(refused, Note)
        assert await d.store.turns_by("paper:ann") == ()
        assert isinstance(
            await d.workflow.handle(d.asked("make it red", "ben", "x", picture=noise(9))), Accepted
        )


async def test_a_session_with_an_open_edit_or_of_another_user_loses_nothing(tmp_path):
    limits = StorageLimits(per_user=(KEPT_SESSIONS + 2) * ONE)
    async with workflow_room(tmp_path, ScriptedEditor(), storage=limits) as d:
        keys = await uploads(d, range(2))
        await d.accepted("make it red", channel="c0")
        shared = await d.workflow.handle(d.asked("", "ben", "c1", picture=noise(1)))
        assert not isinstance(shared, Note)
        keys += await uploads(d, range(2, KEPT_SESSIONS + 2))
        refused = await d.workflow.handle(d.asked("", "ann", "c9", picture=noise(9)))
        assert isinstance(refused, Note)
        assert stored(d, keys) == [True] * (KEPT_SESSIONS + 2)


async def test_the_limit_of_all_users_holds_too(tmp_path):
    limits = StorageLimits(per_user=100 * ONE, total=2 * ONE)
    async with workflow_room(tmp_path, EchoEditor(), storage=limits) as d:
        await uploads(d, [1], "ann")
        await uploads(d, [2], "ben")
        refused = await d.workflow.handle(d.asked("", "ann", "c9", picture=noise(9)))
    assert isinstance(refused, Note)
    assert in_english(refused.text).startswith("The pictures of all users together take all the room")


async def test_free_space_is_watched_with_a_warning_before_a_refusal(tmp_path, caplog, monkeypatch):
    free = 10**9
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 0, free))
    caplog.set_level(logging.WARNING)
    async with workflow_room(tmp_path, EchoEditor(), storage=StorageLimits(min_free=300 * 2**20)) as d:
        await uploads(d, [1])
        assert "are free for pictures" not in caplog.text
        free = 500 * 2**20
        await uploads(d, [2, 3])
        assert caplog.text.count("500 MiB are free for pictures; below 300 MiB new ones are refused") == 1
        free = 200 * 2**20
        refused = await d.workflow.handle(d.asked("", "ann", "c9", picture=noise(9)))
        assert isinstance(refused, Note)
        assert refused.text == Message("disk_full")
        refused = await d.workflow.handle(d.asked("make it red", "ann", "c1"))
        assert isinstance(refused, Note)
        assert refused.text == Message("disk_full")
        free = 10**9
        await d.accepted("make it red", channel="c1")
        await d.idle()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE])
async def test_a_disk_that_fails_while_a_picture_is_stored_loses_nothing(tmp_path, monkeypatch, number):
    def fails(path: Path, data: bytes, *, private: bool = False) -> None:
        raise OSError(number, os.strerror(number))

    editor = ScriptedEditor()
    async with workflow_room(tmp_path, editor) as d:
        edit = await d.accepted("make it red", picture=a_picture())
        running = await editor.started()
        with monkeypatch.context() as patched:
            patched.setattr("conversations.images.image_store.write_atomically", fails)
            refused = await d.workflow.handle(d.asked("", "ann", "c2", picture=noise(2)))
            assert isinstance(refused, Note)
            assert refused.text == Message("disk_full")
            running.finish(replace(echo(running.request), image=noise(1)))
            [turn] = await d.done(edit.card.turn_id)
            assert (turn.state, turn.error) == (TurnState.FAILED, Message("disk_full"))
        await uploads(d, [2])
