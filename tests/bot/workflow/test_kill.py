"""A bot killed with signal 9, again and again, still keeps every promise exactly once."""

import random
import subprocess
import sys
import time
from pathlib import Path

from conversations.store.session_store import SessionStore
from conversations.turn import TurnState

EDITS, LIVES = 150, 6


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def live(folder: Path, *, killed_after_s: float | None) -> None:
    """One life of the victim, ended by a kill so long after it began to serve, or by itself."""
    begun = len(lines(folder / "lives"))
    victim = subprocess.Popen([sys.executable, "-m", "tests.support.killed_bot", str(folder), str(EDITS)])
    try:
        if killed_after_s is None:
            assert victim.wait(60) == 0
            return
        while len(lines(folder / "lives")) == begun:  # until it serves
            assert victim.poll() is None
            time.sleep(0.01)
        time.sleep(killed_after_s)
    finally:
        victim.kill()
        victim.wait()


async def test_every_promise_is_kept_once(tmp_path):
    rng = random.Random(9)
    for _ in range(LIVES):
        live(tmp_path, killed_after_s=rng.uniform(0.01, 0.4))
    live(tmp_path, killed_after_s=None)
    promised = lines(tmp_path / "promised")
    answered = [line.split()[0] for line in lines(tmp_path / "messages")]
    assert len(answered) == len(set(answered))
    assert set(promised) <= set(answered)
    async with SessionStore.open(tmp_path / "conversations.db") as store:
        assert (await store.count_states())[TurnState.DONE] == len(answered)
