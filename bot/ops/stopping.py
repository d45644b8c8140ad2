"""Run the bot until a signal or an operator ends it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine

log = logging.getLogger("mgie-bot")


async def until_told_to_stop(
    chat: Coroutine[None, None, None],
    drain: Callable[[], Coroutine[None, None, None]],
    told_to_stop: asyncio.Event,
) -> None:
    """Run the chat until it ends or is told to stop; the first signal drains before, a second one does not.

    `told_to_stop` is a signal by other means.
    """
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.put_nowait, number)
    talking = asyncio.create_task(chat, name="chat")
    told = asyncio.create_task(_as_signal(told_to_stop, signals), name="told to stop")
    try:
        if await _ended_before_signal(talking, signals):
            return talking.result()
        log.info("stopping: running edits may finish, waiting ones are kept for the next start")
        await _ended_before_signal(asyncio.create_task(drain(), name="drain"), signals)
    finally:
        talking.cancel()
        told.cancel()
        await asyncio.wait([talking, told])


async def _as_signal(told_to_stop: asyncio.Event, signals: "asyncio.Queue[signal.Signals]") -> None:
    await told_to_stop.wait()
    signals.put_nowait(signal.SIGTERM)


async def _ended_before_signal(task: asyncio.Task[None], signals: "asyncio.Queue[signal.Signals]") -> bool:
    signalled = asyncio.create_task(signals.get())
    try:
        await asyncio.wait((task, signalled), return_when=asyncio.FIRST_COMPLETED)
    finally:
        signalled.cancel()
    return task.done()
