"""Exports run one per user and few at once, and end when nobody takes them."""

import os
import tempfile
import zipfile
from io import BytesIO

import pytest

from bot.chat.events import ExportAsked
from bot.chat.replies import Files, Note
from bot.workflow.exports import AT_ONCE, PACE_S, STALL_S, ExportEnded, delete_old_folders
from conversations.messages import Message
from tests.support.fakes import EchoEditor
from tests.support.workflow_room import Clock, WorkflowRoom, workflow_room


async def asked(d: WorkflowRoom, user: str = "ann") -> Files | Message:
    reply = await d.workflow.handle(ExportAsked(**d.origin(user)))
    if isinstance(reply, Note):
        return reply.text
    assert isinstance(reply, Files)
    return reply


async def begun(d: WorkflowRoom, user: str = "ann") -> Files:
    reply = await asked(d, user)
    assert isinstance(reply, Files)
    return reply


async def taken(files: Files) -> list[str]:
    pieces = [piece async for piece in files.zips]
    return zipfile.ZipFile(BytesIO(b"".join(pieces))).namelist()


async def test_a_user_has_one_export_at_a_time_and_one_a_minute(tmp_path):
    uptime = Clock()
    async with workflow_room(tmp_path, EchoEditor(), uptime=uptime) as d:
        await d.upload()
        first = await begun(d)
        assert await asked(d) == Message("export_running")
        assert "person.json" in await taken(first)
        assert await asked(d) == Message("export_running")
        uptime.now += PACE_S
        assert "person.json" in await taken(await begun(d))


async def test_a_stalled_export_ends_and_makes_way_for_the_next(tmp_path):
    uptime = Clock()
    async with workflow_room(tmp_path, EchoEditor(), uptime=uptime) as d:
        await d.upload()
        stalls = await begun(d)
        await anext(stalls.zips)
        uptime.now += STALL_S + 1
        second = await begun(d)
        with pytest.raises(ExportEnded):
            await anext(stalls.zips)
        assert "person.json" in await taken(second)


async def test_a_slow_export_that_moves_on_is_not_stalled(tmp_path):
    uptime = Clock()
    async with workflow_room(tmp_path, EchoEditor(), uptime=uptime) as d:
        await d.upload()
        slow = await begun(d)
        async for _ in slow.zips:
            uptime.now += STALL_S
            assert await asked(d) == Message("export_running")


async def test_only_so_many_users_export_at_once(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        for number in range(AT_ONCE + 1):
            await d.upload(f"user{number}", f"c{number}")
        streams = [await begun(d, f"user{number}") for number in range(AT_ONCE)]
        assert await asked(d, f"user{AT_ONCE}") == Message("exports_busy")
        await taken(streams[0])
        assert isinstance(await asked(d, f"user{AT_ONCE}"), Files)


def test_folders_that_earlier_releases_left_are_deleted_once_they_are_old(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("mgie-export-old", "mgie-export-new", "of-others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mgie-1.zip").touch()
    for name in ("mgie-export-old", "of-others"):
        os.utime(tmp_path / name, (1000, 1000))
    delete_old_folders(before=2000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mgie-export-new", "of-others"]
