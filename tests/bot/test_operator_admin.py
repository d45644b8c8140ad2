"""`mgie-bot admin` against a bot on the same folder: what it decides holds everywhere, at once."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from bot.chat.replies import Accepted
from bot.cli import main
from bot.ops.instance_lock import single_instance
from bot.settings import Settings
from conversations.request_source import RequestSource
from tests.support.fakes import EchoEditor, ScriptedEditor, a_busy_picture, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

SERVERS = ("paper:s1", "paper:s2", "paper:s3")


@pytest.fixture(autouse=True)
def _data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


async def admin(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What the command prints, run beside the bot."""
    assert await asyncio.to_thread(main, ["admin", *arguments]) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


async def answers(d: WorkflowRoom, user: str = "ann") -> set[str]:
    """How an edit is answered in three servers and in a direct message."""
    said = set()
    for place, server in enumerate((*SERVERS, None)):
        source = RequestSource(server=server)
        asked = d.asked("red", user, f"c{place}", picture=a_busy_picture(), source=source)
        reply = await d.workflow.handle(asked)
        said.add(reply.note.code if isinstance(reply, Accepted) else reply.text.code)
        await d.idle()
    return said


async def test_a_pause_holds_everywhere_until_it_is_lifted(tmp_path: Path, capsys) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert "New edits: paused" in await admin(capsys, "pause")
        assert await answers(d) == {"paused_everywhere"}
        assert "New edits: accepted" in await admin(capsys, "resume")
        assert await answers(d) == {"queued"}


async def test_a_blocked_user_is_blocked_everywhere_and_others_are_not(tmp_path: Path, capsys) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert "paper:ann" in await admin(capsys, "block", "paper:ann")
        assert await answers(d) == {"blocked_everywhere"}
        assert await answers(d, "ben") == {"queued"}
        await admin(capsys, "unblock", "paper:ann")
        assert await answers(d) == {"queued"}


async def test_a_barred_picture_is_taken_nowhere(tmp_path: Path, capsys) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(a_busy_picture())
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await admin(capsys, "bar", str(picture))
        barred = await answers(d)
        assert "queued" not in barred
        await admin(capsys, "unbar", str(picture))
        assert await answers(d) == {"queued"}


async def test_the_log_finds_who_decided_what(tmp_path: Path, capsys) -> None:
    async with workflow_room(tmp_path, EchoEditor()):
        await admin(capsys, "block", "42")
        await admin(capsys, "bar", "0123456789abcdef")
        await admin(capsys, "pause")
        log = (await admin(capsys, "log")).splitlines()
        assert [line.split("  ")[2] for line in log] == ["pause", "bar", "block"]
        (found,) = (await admin(capsys, "log", "--about", "0123456789abcdef", "--json")).splitlines()
        entry = json.loads(found)
        assert (entry["rule"], entry["subject"]) == ("bar", "0123456789abcdef")
        assert entry["by"].startswith("operator:")
        assert (await admin(capsys, "log", "--about", "discord:42")).count("\n") == 1
        assert "0123456789abcdef" in await admin(capsys, "status")


async def test_the_running_bot_does_what_the_command_line_decided(tmp_path: Path, capsys) -> None:
    editor = ScriptedEditor()
    with single_instance(tmp_path):
        async with workflow_room(tmp_path, editor) as d:
            asked = await d.accepted("red", picture=a_busy_picture())
            edit = await editor.started()
            await admin(capsys, "block", "paper:ann")
            await d.workflow.operators.work()
            assert edit.cancelled
            (turn,) = await d.done(asked.card.turn_id)
            assert turn.is_lost
            d.clock.now = time.time()
            assert not d.workflow.operators.told_to_stop.is_set()
            assert "then stops" in await admin(capsys, "drain")
            await d.workflow.operators.work()
            assert d.workflow.operators.told_to_stop.is_set()


async def test_a_version_is_barred_by_its_id_and_found_in_the_log(tmp_path: Path, capsys) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        version = (await d.accepted("red", picture=a_busy_picture())).card.turn_id
        await d.idle()
        await admin(capsys, "bar", version)
        assert "queued" not in await answers(d)
        (line,) = (await admin(capsys, "log", "--about", version)).splitlines()
        assert line.endswith(f"version {version}")


async def test_limits_of_the_environment_are_replaced_and_return(tmp_path: Path, capsys) -> None:
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert "Shares: user_day 1" in await admin(capsys, "shares", "user_day", "1")
        assert await answers(d) == {"queued", "share_used_up"}
        assert "Shares: none" in await admin(capsys, "shares", "user_day", "default")
        assert await answers(d) == {"queued"}


async def test_what_names_nobody_is_one_sentence_and_code_2(tmp_path: Path, capsys) -> None:
    assert "names no user" in await admin(capsys, "block", "Ann", code=2)
    assert "no file" in await admin(capsys, "bar", "nothing.png", code=2)
    assert "nothing to drain" in await admin(capsys, "drain", code=2)
    assert "no number of edits" in await admin(capsys, "shares", "all_day", "-1", code=2)
    (tmp_path / "flat.png").write_bytes(a_picture())
    assert "too little" in await admin(capsys, "bar", "flat.png", code=2)
    (tmp_path / "text.png").write_text("no picture")
    assert "text.png" in await admin(capsys, "bar", "text.png", code=2)
