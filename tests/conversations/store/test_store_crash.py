"""A process killed while it writes loses nothing it had acknowledged, and leaves nothing half done."""

import hashlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from conversations.turn import TurnState

REPOSITORY = Path(__file__).parents[3]

TALKER = """
import asyncio, sys
from conversations.turn import TurnState
from conversations.store.session_store import SessionStore

async def talk(path):
    async with SessionStore.open(path) as store:
        session = await store.open_session("room", "ann", image="0" * 64)
        while True:
            turn = await store.add_turn(session.ask("ann", "x" * 2000))
            print("asked", turn.id, flush=True)
            await store.set_state(turn.id, TurnState.RUNNING)
            await store.set_state(turn.id, TurnState.DELIVERING, image="1" * 64)
            print("made", turn.id, flush=True)

asyncio.run(talk(sys.argv[1]))
"""

PAINTER = """
import os, sys
from conversations.images.image_store import ImageStore

store = ImageStore(sys.argv[1])
while True:
    print(store.put(os.urandom(300_000)), flush=True)
"""


def lines_before_the_kill(program: str, path: Path, count: int) -> list[str]:
    """Start `program`, kill -9 it once it has acknowledged `count` times; all it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
async def test_no_acknowledged_turn_is_lost_to_kill_9(tmp_path: Path) -> None:
    path, said = tmp_path / "talk.db", list[str]()
    for count in (1, 2, 7, 30, 61):
        said += lines_before_the_kill(TALKER, path, count)
    asked = {line.split()[1] for line in said if line.startswith("asked")}
    made = {line.split()[1] for line in said if line.startswith("made")}
    async with SessionStore.open(path) as store:
        delivering = {turn.id for turn in await store.turns_in(TurnState.DELIVERING)}
        unfinished = {turn.id for turn in await store.turns_in(TurnState.WAITING, TurnState.RUNNING)}
        sessions = await store.sessions_in("room")
    assert asked <= delivering | unfinished
    assert made <= delivering
    for session in sessions:
        assert [turn.number for turn in session.turns.values()] == list(range(len(session.turns)))
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_a_picture_is_there_whole_or_not_at_all_after_kill_9(tmp_path: Path) -> None:
    kept: list[str] = []
    for count in (1, 5, 20):
        kept += lines_before_the_kill(PAINTER, tmp_path, count)
    store = ImageStore(tmp_path)
    there = set(store.keys())
    assert set(kept) <= there
    assert all(hashlib.sha256(store.get(key)).hexdigest() == key for key in there)
