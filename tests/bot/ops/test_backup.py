"""A backup made while the bot runs is whole; put in place of the data folder, the conversation goes on."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.chat.events import DeleteAsked
from bot.cli import main
from bot.errors import CannotStart
from bot.ops.backup import back_up
from bot.ops.data_folder import DATABASE, IMAGES, check_stored
from conversations.errors import StoreError
from conversations.images.image_store import ImageStore
from conversations.images.packed_pictures import packed
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room


async def edits(d: WorkflowRoom, count: int) -> None:
    for number in range(count):
        await d.accepted("make it red", channel=f"c{number}", picture=a_picture(20 + number))
    await d.idle()


async def test_a_restored_backup_goes_on_with_the_conversation(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await edits(d, 3)
        report = await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
        await d.accepted("now blue", channel="c0")  # after the backup
        await d.idle()
    assert (report.sessions, report.copied, report.kept, report.damaged) == (3, 3, 0, ())
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "copy", tmp_path / "data")
    check_stored(tmp_path / "data")
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        edit = await d.accepted("now green", channel="c0", event_id="paper:after")
        [turn] = await d.done(edit.card.turn_id)
        assert (turn.label, turn.error) == ("v2", None)
        assert d.images.get(turn.image or "")


async def test_every_picture_that_a_backup_names_is_in_it_although_edits_go_on(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await edits(d, 1)
        going_on = asyncio.create_task(edits(d, 12))
        for _ in range(4):
            await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
            async with workflow_room(tmp_path / "copy", EchoEditor()) as copy:
                assert await copy.store.images_in_use() == frozenset(copy.images.keys())
        await going_on


async def test_a_packed_picture_is_copied_as_it_is(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture(700, 500))
        await d.idle()
        [key] = d.images.keys()
        png = d.images.get(key)
        small = packed(png)
        assert small is not None
        d.images.replace(key, small)
        for copied, kept in ((1, 0), (0, 1)):
            report = await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
            assert (report.copied, report.kept, report.damaged) == (copied, kept, ())
    copy = ImageStore(tmp_path / "copy" / IMAGES)
    assert (copy.stored(key), copy.get(key)) == (small, png)


async def test_a_second_backup_copies_what_is_new_and_drops_what_was_erased(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await edits(d, 2)
        await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
        session = await d.store.session_for_channel("paper:c0")
        assert session is not None
        for version in ("v1", "v0"):
            await d.workflow.handle(DeleteAsked(**d.origin(channel="c0"), version=version))
        await d.accepted("make it red", channel="new", picture=a_picture(99))
        await d.idle()
        report = await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "copy")
        assert (report.copied, report.kept) == (1, 1)
        kept = {path.stem for path in (tmp_path / "copy" / IMAGES).glob("??/*.png")}
        assert kept == set(d.images.keys())
        assert session.root.image not in kept


async def test_a_damaged_picture_is_named_and_left_out(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await edits(d, 2)
        damaged = next(d.images.keys())
        d.images.path(damaged).write_bytes(b"damaged")
    report = back_up(tmp_path / "data", tmp_path / "copy")
    assert (report.copied, report.damaged) == (1, (damaged,))
    assert str(report).endswith(f"Damaged and left out: {damaged}")


async def test_a_backup_that_fails_leaves_the_earlier_one(tmp_path):
    async with workflow_room(tmp_path / "data", EchoEditor()) as d:
        await edits(d, 1)
    back_up(tmp_path / "data", tmp_path / "copy")
    before = (tmp_path / "copy" / DATABASE).read_bytes()
    database = tmp_path / "data" / DATABASE
    database.write_bytes(database.read_bytes()[:4096] + bytes(8192))
    with pytest.raises((CannotStart, StoreError)):
        back_up(tmp_path / "data", tmp_path / "copy")
    assert (tmp_path / "copy" / DATABASE).read_bytes() == before
    assert [path.name for path in (tmp_path / "copy").iterdir() if path.suffix == ".part"] == []


def test_a_target_that_is_no_backup_is_refused_in_a_sentence(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["backup", "copy"]) == 2
    assert "holds no conversations.db; there is nothing to back up." in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / DATABASE).touch()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").touch()
    for target, told in {
        "home": "holds other files; name a new folder",
        "home/thesis.txt": "is not a folder.",
        "data": "must lie apart.",
        "data/images": "must lie apart.",
        ".": "must lie apart.",
    }.items():
        assert main(["backup", target]) == 2
        assert told in capsys.readouterr().err
    assert (tmp_path / "home" / "thesis.txt").exists()
