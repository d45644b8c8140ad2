"""The deployment under Serve's own test mode: one replica in this process. Skipped without the extra."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mgie_engine.cluster.cluster_client import ClusterClient
from mgie_engine.cluster.cluster_messages import Plain
from mgie_engine.edits import EditResult, Progress
from mgie_engine.errors import RequestRefused
from tests.support.fakes import a_request

serve = pytest.importorskip("ray.serve", reason="needs pip install 'mgie[cluster]'")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


class LocalServe:
    """Calls the handle as RayReplicas does, but for what the test mode lacks: choosing and boards."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def connect(self) -> None:
        """It is there."""

    async def sign(self, message: Plain) -> Sequence[object]:
        return [await self._handle.hear.remote(message)]

    async def edit(self, message: Plain) -> AsyncGenerator[object, None]:
        events = self._handle.options(method_name="edit", stream=True).remote(message)
        try:
            async for event in events:
                yield event
        finally:
            with suppress(Exception):
                events.cancel()


@asynccontextmanager
async def a_client() -> AsyncIterator[ClusterClient]:
    from mgie_engine.cluster.deployment import DeploymentSize, application
    from tests.support.cluster_replica import FakeReplica

    app = application({"weights": "w"}, DeploymentSize(1, 2, 0.0), FakeReplica)
    handle = await asyncio.to_thread(serve.run, app, _local_testing_mode=True)
    client = ClusterClient(LocalServe(handle), "bot", lambda: None)
    async with asyncio.timeout(60):
        await client.sign()
        yield client


async def test_edits_refusals_and_slots(tmp_path: Path):
    async with a_client() as client:
        assert client.slots == 2
        seen: list[Progress] = []
        result = await client.run("k1", a_request(), seen.append)
        assert isinstance(result, EditResult)
        with pytest.raises(RequestRefused, match="rather not"):
            await client.run("k2", a_request("refuse"), seen.append)


async def test_a_cancelled_edit_leaves_its_slot(tmp_path: Path):
    async with a_client() as client:
        begun = asyncio.Event()
        never = a_request(f"wait for {tmp_path / 'nothing'}")
        task = asyncio.create_task(client.run("k1", never, lambda _: begun.set()))
        await begun.wait()
        await client.sign()
        assert client.statuses[0].mine == ["k1"]
        task.cancel()
        await asyncio.wait((task,))
        while client.statuses[0].running:
            await client.sign()
            await asyncio.sleep(0.01)
