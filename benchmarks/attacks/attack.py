"""Ordinary users during an attack on a bot process: how it is run, and its figures."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.process_watch import MemoryWatch
from tests.support.bot_process import BotProcess
from tests.support.hostile_images import ihdr, pixels, png

USERS, START_WITHIN_S, ANSWER_WITHIN_S = 10, 120.0, 120.0
MOST_END_S = 50.0


def large_picture(value: int) -> bytes:
    """A PNG of 40 megapixels in some kilobytes."""
    return png(ihdr(8000, 5000), pixels(24_000, 5000, value))


def figures_of(delays_s: list[float], watch: MemoryWatch, end_s: float, lost: int) -> dict[str, Any]:
    """The figures of one scene."""
    ordered = sorted(delays_s)
    return {
        "edits": len(ordered),
        "lost": lost,
        "ack_p50_s": round(ordered[len(ordered) // 2], 3),
        "ack_p95_s": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 3),
        "ack_max_s": round(ordered[-1], 3),
        **watch.figures(),
        "sigterm_s": round(end_s, 1),
    }


async def ended(bot: BotProcess) -> float:
    """Seconds that the bot takes to end after SIGTERM."""
    began_s = time.monotonic()
    await bot.stop(10 * MOST_END_S)
    return time.monotonic() - began_s


async def under_attack(
    attack: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    users: list[Coroutine[Any, Any, None]],
    bot: BotProcess,
) -> tuple[MemoryWatch, float]:
    """Let the users do their part while the attack goes on, then end the bot; the seconds that took."""
    begun = asyncio.Event()
    with MemoryWatch(bot.pid) as watch:
        attacking = asyncio.create_task(attack(begun))
        try:
            await begun.wait()
            await asyncio.gather(*users)
            end_s = await ended(bot)
        finally:
            attacking.cancel()
            await asyncio.gather(attacking, return_exceptions=True)
    return watch, end_s
