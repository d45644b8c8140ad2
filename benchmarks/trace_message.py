"""Which modules one message passes in `bot/` and where its text is sorted, until the result is shown.

    python benchmarks/trace_message.py

The message is "make it darker" after a first edit. The bot is the real one on the loopback Discord; only the
editor is instant. Counted are the modules whose functions run, in every thread, and how many of these
functions return: a coroutine counts once, when it ends.

    whole        from the arrival of the message until the result is shown, the Discord layer included
    reading      what the Discord layer uses of the rest of `bot/` to make an event of the message
    after        from the moment at which it hands the event over, without the Discord layer
    admission    the part of it up to the moment at which the turn is on disk

Ends in one line of JSON.
"""

import asyncio
import dis
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from bot.workflow.dispatcher import PERIODIC
from tests.support.discord_room import room
from tests.support.fakes import a_picture

DISCORD = "bot.discord_chat"
HANDLE = "EditWorkflow.handle"  # takes the event, and returns once the turn is on disk
RETURN = dis.opmap["RETURN_VALUE"]
ROOT = Path(__file__).parents[1]
TRACED = (ROOT / "bot", ROOT / "conversations/intents")  # the second sorts texts for the bot


@dataclass
class Trace:
    """Returns by module, in the order of the first calls: before and after the event is handed over.

    `admission` is a copy of `after`, made midway.
    """

    reading: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    admission: Counter[str] | None = None
    _is_handed_over: bool = False
    _modules: dict[CodeType, str | None] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call or a return; `sys.setprofile` calls this."""
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if code not in self._modules:
            self._modules[code] = _module(code)
        module = self._modules[code]
        if module is None or _is_periodic():
            return
        is_handle = code.co_qualname == HANDLE
        self._is_handed_over |= is_handle
        returns = self.after if self._is_handed_over else self.reading
        returns[module] += 0
        if event == "return" and code.co_code[frame.f_lasti] == RETURN:  # else it only waits
            returns[module] += 1
            if is_handle and self.admission is None:
                self.admission = Counter(self.after)


def _is_periodic() -> bool:
    """Whether the running task would run without the message, too."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # in a thread without a loop
        return False
    return task is not None and task.get_name() == PERIODIC


def _module(code: CodeType) -> str | None:
    """The module of a traced function; None for other code, and for lambdas and comprehensions."""
    path = Path(code.co_filename)
    if code.co_name.startswith("<") or not any(path.is_relative_to(folder) for folder in TRACED):
        return None
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@contextmanager
def recording() -> Iterator[Trace]:
    """Trace this thread, and those that begin meanwhile, while the block runs."""
    trace = Trace()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def traced(folder: Path) -> Trace:
    """The trace of a refinement, on a bot that keeps its files in `folder`."""
    async with room(folder) as r:
        files = {"ball.png": a_picture()}
        await r.result(r.discord.say(r.channel, r.anna, "make it brighter", files=files, mention=True))
        await r.result(r.discord.say(r.channel, r.anna, "make it warmer", mention=True))  # reads word lists
        await r.turns_end()
        with recording() as trace:
            await r.result(r.discord.say(r.channel, r.anna, "make it darker", mention=True))
            await r.turns_end()
    return trace


def figures(returns: Counter[str], *, with_discord: bool = False) -> dict[str, Any]:
    """How many modules and returns, and the modules; those of the Discord layer only if asked for."""
    counted = {
        module: count for module, count in returns.items() if with_discord or not module.startswith(DISCORD)
    }
    return {"modules": len(counted), "returns": sum(counted.values()), "names": sorted(counted)}


def main() -> None:
    """Trace and print."""
    with tempfile.TemporaryDirectory() as folder:
        trace = asyncio.run(traced(Path(folder)))
    assert trace.admission is not None
    whole = Counter(trace.reading)
    whole.update(trace.after)
    found = {
        "whole": figures(whole, with_discord=True),
        "reading": figures(trace.reading),
        "after": figures(trace.after),
        "admission": figures(trace.admission),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
