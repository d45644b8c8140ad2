"""Reaches the replicas through Ray Serve. Imported by the link process only, since it imports ray."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from mgie_engine.cluster.cluster_client import ClusterGone
from mgie_engine.cluster.cluster_messages import Plain
from mgie_engine.cluster.deployment import APP, NAMESPACE, SignBoard, board_name
from mgie_engine.errors import EngineDied

ANSWER_S = 4.0  # for a sign of life; replicas drop edits after eight seconds without one

log = logging.getLogger(__name__)


class RayReplicas:
    """The replicas of the deployment in the cluster at `address`, which this machine is a node of."""

    def __init__(self, address: str, bot: str) -> None:
        self._address, self._bot = address, bot
        self._handle: DeploymentHandle[Any] | None = None
        self._board: Any = None

    async def connect(self) -> None:
        """Reach the deployment; ClusterGone if that is not possible now."""
        try:
            await asyncio.to_thread(self._connect)
        except (RayError, RayServeException, ConnectionError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ClusterGone(f"The cluster {self._address} cannot be reached: {reason}.") from error

    def _connect(self) -> None:
        if not ray.is_initialized():
            ray.init(address=self._address, namespace=NAMESPACE, log_to_driver=False)
        self._handle = serve.get_app_handle(APP)
        # Not detached: it ends with this process. Taken over if an earlier link of this bot is still ending.
        board: Any = SignBoard
        self._board = board.options(
            name=board_name(self._bot), namespace=NAMESPACE, num_cpus=0, max_restarts=-1, get_if_exists=True
        ).remote()

    async def sign(self, message: Plain) -> Sequence[object] | None:
        """Tell every replica of a sign of life; the statuses of those that take edits.

        None where one of them hangs.
        """
        assert self._handle is not None
        calls = self._handle.broadcast("hear", message)
        try:
            _, answers = await asyncio.gather(
                self._post(message), calls.results_async(timeout_s=ANSWER_S, return_exceptions=True)
            )
        except TimeoutError:
            log.warning("A replica did not answer within %.0f s.", ANSWER_S)
            return None
        except (RayError, RayServeException) as error:
            raise ClusterGone(f"The deployment does not answer: {type(error).__name__}.") from error
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _post(self, message: Plain) -> None:
        """Post a sign of life on the board. Where that takes too long, only Serve's calls carry it."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._board.post.remote(message)
        except TimeoutError:
            log.warning("The board for signs of life did not answer within %.0f s.", ANSWER_S)

    async def edit(self, message: Plain) -> AsyncGenerator[object, None]:
        """Send an edit to a replica with a free slot; its events. Closing it cancels the edit there."""
        assert self._handle is not None
        # Not choose_replica: the slot it reserves stays reserved if this process is killed before it is used.
        events = self._handle.options(method_name="edit", stream=True).remote(message)
        try:
            async for event in events:
                yield event
        except (RayError, RayServeException) as error:
            raise EngineDied(f"The replica of the edit is gone: {type(error).__name__}.") from error
        finally:
            with suppress(RayError, RayServeException):
                events.cancel()  # a generator that is merely dropped goes on in the replica
