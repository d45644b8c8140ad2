"""Faults of the machine under a running bot: nothing accepted is lost, and every refusal is a sentence."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.chat.replies import Accepted, Note
from conversations.messages import Message
from conversations.turn import TurnState
from tests.support.english import in_english
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import WorkflowRoom, workflow_room

DISK_FULL = (
    "This bot cannot store pictures now: its disk is full or cannot be written. Please try again later."
)
NO_DATABASE = "The database cannot be used right now. Please try again in a minute."
OVERLOADED = "The bot is overloaded right now. Please try again in a minute."


@contextmanager
def limited(kind: int, limit: int) -> Iterator[None]:
    """This process with a limit of the operating system, while the block runs."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


async def sent(d: WorkflowRoom, number: int) -> Accepted | str:
    """One upload with words, of a picture of its own; the sentence when it was refused."""
    reply = await d.workflow.handle(
        d.asked(f"make ball {number} red", f"user{number}", f"c{number}", picture=a_picture(12 + number, 100))
    )
    if isinstance(reply, Accepted):
        return reply
    assert isinstance(reply, Note)
    return in_english(reply.text)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")
async def test_on_a_disk_without_room_edits_are_refused_and_accepted_ones_survive(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        largest = max(path.stat().st_size for path in tmp_path.iterdir())  # the log of the database
        with limited(resource.RLIMIT_FSIZE, largest + 1_000_000):  # so it cannot grow for long
            outcomes = [await sent(d, number) for number in range(60)]
            await d.idle()
        accepted = [reply.card.turn_id for reply in outcomes if isinstance(reply, Accepted)]
        refused = {reply for reply in outcomes if isinstance(reply, str)}
        assert accepted
        assert refused
        assert refused <= {DISK_FULL, NO_DATABASE}
        await d.workflow.resume("paper")  # as happens every five minutes
        assert {turn.state for turn in await d.done(*accepted)} == {TurnState.DONE}
        assert isinstance(await sent(d, 99), Accepted)
        await d.idle()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_without_file_descriptors_edits_are_refused_and_accepted_ones_survive(tmp_path):
    assert in_english(Message("overloaded")) == OVERLOADED  # so that the catalogue has been read
    editor = ScriptedEditor(slots=4)
    async with workflow_room(tmp_path, editor) as d:
        first = await sent(d, 0)
        assert isinstance(first, Accepted)
        running = await editor.started()
        outcomes: list[Accepted | str] = [first]
        with limited(resource.RLIMIT_NOFILE, 256), all_descriptors_taken() as take:
            while isinstance(outcomes[-1], Accepted) and len(outcomes) < 20:
                take()  # also those that other threads gave back
                outcomes.append(await sent(d, len(outcomes)))
        assert outcomes.pop() in (OVERLOADED, DISK_FULL, NO_DATABASE)
        last = await sent(d, 50)
        assert isinstance(last, Accepted)
        running.finish()
        for _ in outcomes:
            (await editor.started()).finish()
        accepted = [reply.card.turn_id for reply in (*outcomes, last) if isinstance(reply, Accepted)]
        assert {turn.state for turn in await d.done(*accepted)} == {TurnState.DONE}


def test_a_stopped_bot_goes_on_where_it_was(tmp_path):
    bot = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_bot", str(tmp_path), "40"],
        cwd=Path(__file__).parents[2],
    )
    try:
        while not (tmp_path / "promised").exists():
            assert bot.poll() is None
            time.sleep(0.01)
        bot.send_signal(signal.SIGSTOP)
        os.waitpid(bot.pid, os.WUNTRACED)
        before = lines(tmp_path / "promised")
        bot.send_signal(signal.SIGCONT)
        assert bot.wait(120) == 0
    finally:
        bot.kill()
        bot.wait()
    promised, shown = lines(tmp_path / "promised"), lines(tmp_path / "messages")
    assert promised[: len(before)] == before
    assert sorted(shown) == sorted(f"{turn} done" for turn in promised)


@contextmanager
def all_descriptors_taken() -> Iterator[Callable[[], None]]:
    """Gives what takes every free descriptor; they are given back after the block."""
    taken: list[int] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))

    try:
        yield take
    finally:
        for descriptor in taken:
            os.close(descriptor)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines()
