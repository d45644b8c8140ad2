"""The Serve deployment: one replica per GPU. Runs on the machines of the cluster, and imports ray."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from mgie_engine.cluster.cluster_messages import BadMessage, Plain, read_sign
from mgie_engine.cluster.fingerprint import fingerprint
from mgie_engine.cluster.replica import Replica
from mgie_engine.config import resolve_model
from mgie_engine.edits import EditRunner
from mgie_engine.errors import ModelError
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.process import EngineProcess

APP, NAMESPACE = "mgie", "mgie"
LOOK_EVERY_S = 1.0  # how often a replica looks for edits of which nothing is heard
BOARD_S = 3.0  # for reading a board
HEADROOM = 2  # calls beside the edits: signs of life count as calls, too, once they are in the replica
DRAINING_S = 600.0  # longest time that a replica finishes its edits before it is replaced

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeploymentSize:
    """How many replicas there are, and what each takes."""

    replicas: int
    slots: int  # edits at once in each
    gpus: float  # 0 on machines without
    cpus: float = 1.0


def board_name(bot: str) -> str:
    """The name of the actor where a bot posts its signs of life."""
    return f"mgie-signs-{bot}"


@ray.remote
class SignBoard:
    """Keeps the last sign of life of a bot, for replicas that Serve calls no more: those being replaced."""

    def __init__(self) -> None:
        self._last: Plain | None = None

    async def post(self, message: Plain) -> None:
        """Replace the last sign of life."""
        self._last = message

    async def last(self) -> Plain | None:
        """The last sign of life."""
        return self._last


class MGIEReplica:
    """Serves edits of bots with the GPU that Ray gave this process."""

    async def __init__(self, plan: Plain) -> None:  # type: ignore[misc]  # Serve awaits it
        """plan: fields of a ModelChoice as plain values, and `slots`. ModelError if it cannot be loaded."""
        editor, weights = await asyncio.to_thread(self.build, plan)
        self._replica = Replica(editor, _name(), weights)
        self._counts: dict[str, int] = {}  # of the last sign of each bot
        await self._replica.start()
        while not (status := self._replica.status("", 0)).ready:
            if status.fault:
                raise ModelError(status.fault)
            self._replica.changed.clear()
            await self._replica.changed.wait()
        self._watch = asyncio.create_task(self._look_for_unheard())

    def build(self, plan: Plain) -> tuple[EditRunner, str]:
        """What makes the edits, not started, and the fingerprint of its weights."""
        slots, home = plan["slots"], plan.get("home")
        fields = {name: value for name, value in plan.items() if name not in ("slots", "home")}
        choice = ModelChoice(**fields, home=Path(home) if home else None)
        weights = fingerprint(resolve_model(choice.model, choice.home).folder)
        return EngineProcess(choice, slots, name=choice.model), weights

    async def edit(self, message: Plain) -> AsyncGenerator[Plain, None]:
        """Make an edit; its events. See cluster_messages."""
        events = self._replica.edit(message)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def hear(self, message: Plain) -> Plain | None:
        """Take a sign of life; the status. None where the message is none."""
        try:
            sign = read_sign(message)
        except BadMessage as error:
            log.warning("A sign of life: %s", error)
            return None
        self._counts[sign.bot] = sign.count
        return self._replica.hear(sign)

    async def __del__(self) -> None:
        """Serve calls this once the edits are over, or waited for long enough."""
        self._watch.cancel()
        await self._replica.close()

    async def _look_for_unheard(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for bot in {bot for bot, _ in self._replica.bots}:
                await self._read_board(bot)
            self._replica.drop_unheard()

    async def _read_board(self, bot: str) -> None:
        """Hear what a bot posted since the last time, if it posted anything."""
        try:
            async with asyncio.timeout(BOARD_S):
                board = await asyncio.to_thread(ray.get_actor, board_name(bot), NAMESPACE)
                message = await board.last.remote()
            sign = read_sign(message)
        except (RayError, ValueError, TimeoutError, BadMessage):  # the bot is gone, or has posted nothing
            return
        if sign.count != self._counts.get(bot):
            self._counts[bot] = sign.count
            self._replica.hear(sign)


def _name() -> str:
    try:
        return str(serve.get_replica_context().replica_tag)
    except RayServeException:  # Serve's test mode has one replica, without a name
        return "local"


def deploy(plan: Plain, size: DeploymentSize, replica: type[MGIEReplica] = MGIEReplica) -> None:
    """Deploy the replicas, or replace those there are one after the other; returns once all are ready.

    Edits under way are finished by the replicas that have them. Ray must be connected.
    """
    serve.run(application(plan, size, replica), name=APP, route_prefix=None)


def application(plan: Plain, size: DeploymentSize, replica: type[MGIEReplica] = MGIEReplica) -> Any:
    """The application to run. `max_queued_requests` stays unset: it refuses while slots are free."""
    deployment = serve.deployment(
        replica,
        name="MGIEReplica",
        num_replicas=size.replicas,
        max_ongoing_requests=size.slots + HEADROOM,
        ray_actor_options={"num_gpus": size.gpus, "num_cpus": size.cpus},
        graceful_shutdown_timeout_s=DRAINING_S,
        graceful_shutdown_wait_loop_s=0.5,
    )
    return deployment.bind({**plan, "slots": size.slots})
