"""Which modules of `bot/` one message passes: "make it darker" after a first edit, until the result is shown.

    python benchmarks/trace_message.py

The bot is the real one on the loopback Discord; only the editor is instant. Counted are the modules whose
functions run, in every thread, and how many of these functions return: a coroutine counts once, when it ends.
`admission` is the part up to the moment at which the turn is on disk. Ends in one line of JSON.
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

from tests.support.discord_room import room
from tests.support.fakes import a_picture

DISCORD = "bot.discord_chat"
TEXTS = "bot.workflow.intents"
END_OF_ADMISSION = "handle"  # EditWorkflow.handle returns once the turn is on disk
RETURN = dis.opmap["RETURN_VALUE"]
BOT = Path(__file__).parents[1] / "bot"


@dataclass
class Trace:
    """Modules in the order of their first call, and returns by module; `admission` is a copy made midway."""

    returns: dict[str, int] = field(default_factory=dict)
    admission: dict[str, int] | None = None
    _modules: dict[CodeType, str | None] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call or a return; `sys.setprofile` calls this."""
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if code not in self._modules:
            self._modules[code] = _module(code)
        module = self._modules[code]
        if module is None:
            return
        self.returns.setdefault(module, 0)
        if event == "return" and code.co_code[frame.f_lasti] == RETURN:  # else it only waits
            self.returns[module] += 1
            if code.co_name == END_OF_ADMISSION and self.admission is None:
                self.admission = dict(self.returns)


def _module(code: CodeType) -> str | None:
    """The module of a function of `bot/`; None for other code, and for lambdas and comprehensions."""
    path = Path(code.co_filename)
    if code.co_name.startswith("<") or not path.is_relative_to(BOT):
        return None
    return ".".join(path.relative_to(BOT.parent).with_suffix("").parts)


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


def figures(returns: dict[str, int]) -> dict[str, Any]:
    """Modules entered and returns, in the Discord layer and after it; what sorts texts counts as one."""
    after: Counter[str] = Counter()
    for module, count in returns.items():
        if not module.startswith(DISCORD):
            after[TEXTS if module.startswith(TEXTS) else module] += count
    return {
        "modules": len(returns),
        "returns": sum(returns.values()),
        "modules_after_discord": len(after),
        "returns_after_discord": sum(after.values()),
        "after_discord": sorted(after),
    }


def main() -> None:
    """Trace and print."""
    with tempfile.TemporaryDirectory() as folder:
        trace = asyncio.run(traced(Path(folder)))
    assert trace.admission is not None
    sys.stdout.write(
        json.dumps({"whole": figures(trace.returns), "admission": figures(trace.admission)}) + "\n"
    )


if __name__ == "__main__":
    main()
