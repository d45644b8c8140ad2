"""The child process of the bot that is part of the cluster: `python -m mgie_engine.cluster.link`.

It speaks to the bot as an engine process does (serving/worker.py). Ray ends a process that has lost its
cluster for a minute; here that ends this child, which the bot starts again, and not the bot.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from conversations.child_process import give_up_rights
from mgie_engine.cluster.cluster_client import SIGN_EVERY_S, ClusterClient, Replicas
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import EngineError
from mgie_engine.serving.protocol import (
    Answer,
    Beat,
    Cancel,
    CannotLoad,
    Happened,
    Loadable,
    Order,
    Ready,
    Run,
    frame,
    read_messages,
)
from mgie_engine.serving.worker import claim_pipes

SILENCE_S = 30.0  # a link says something every few seconds
CANCELLING_S = 3.0  # for telling the replicas that nobody waits any more; the bot ends a child after five

log = logging.getLogger(__name__)


class ClusterBuilder(Loadable, Protocol):
    """Says which cluster; travels to the link process by pickling."""

    @property
    def bot(self) -> str:
        """The name of the bot, which stays the same after a restart."""
        ...

    def build(self) -> Replicas:
        """What reaches the replicas; raises EngineError if it can never do so here."""
        ...


class ClusterLink:
    """Carries orders to a cluster client and answers back."""

    def __init__(self, replicas: Replicas, bot: str, send: Callable[[Answer], None]) -> None:
        self._send = send
        self._client = ClusterClient(replicas, bot, self._tell_slots)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def serve(self, orders: "asyncio.Queue[Order | None]") -> None:
        """Carry orders until None comes, then cancel every edit."""
        async with asyncio.TaskGroup() as group:
            lasting = [group.create_task(self._client.serve()), group.create_task(self._tell_life())]
            while (order := await orders.get()) is not None:
                match order:
                    case Run(key, request):
                        task = self._tasks[key] = group.create_task(self._run(key, request))
                        task.add_done_callback(partial(self._forget, key))
                    case Cancel(key) if key in self._tasks:
                        self._tasks[key].cancel()
            for task in [*self._tasks.values(), *lasting]:
                task.cancel()

    def _forget(self, key: int, _: asyncio.Task[None]) -> None:
        del self._tasks[key]

    async def _run(self, key: int, request: EditRequest) -> None:
        outcome: EditResult | EngineError
        try:
            outcome = await self._client.run(
                str(key), request, lambda progress: self._send(Happened(key, progress))
            )
        except asyncio.CancelledError:
            return
        except EngineError as error:
            outcome = error
        except Exception as error:
            log.exception("An edit failed unexpectedly.")
            outcome = EngineError(f"The edit failed unexpectedly: {error!r}.")
        self._send(Happened(key, outcome))

    async def _tell_life(self) -> None:
        while True:
            self._send(Beat())
            await asyncio.sleep(SIGN_EVERY_S)

    def _tell_slots(self) -> None:
        self._send(Ready(self._client.slots, SILENCE_S, self._client.devices))


def main() -> None:
    """Reach the cluster that the first message names, then serve until the pipe closes."""
    give_up_rights()
    orders_in, answers_out = claim_pipes()
    messages = read_messages(orders_in)
    launch = next(messages, None)  # a Launch
    if launch is None:
        return
    logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # when to end is the parent's to say
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def send(answer: Answer) -> None:
        answers_out.write(frame(answer))
        answers_out.flush()

    cluster: ClusterBuilder = launch.builder
    try:
        replicas = cluster.build()
    except EngineError as error:
        send(CannotLoad(error))
        return

    async def serve() -> None:
        orders: asyncio.Queue[Order | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def receive() -> None:
            for order in messages:
                loop.call_soon_threadsafe(orders.put_nowait, order)
            loop.call_soon_threadsafe(orders.put_nowait, None)
            time.sleep(CANCELLING_S)
            os._exit(0)  # from this thread, so that nothing keeps an orphan alive

        threading.Thread(target=receive, name="orders", daemon=True).start()
        await ClusterLink(replicas, cluster.bot, send).serve(orders)
        os._exit(0)  # without what libraries do at the end: nobody waits for it

    try:
        asyncio.run(serve())
    except* BrokenPipeError:  # the bot was killed while something was said
        os._exit(0)


if __name__ == "__main__":
    main()
