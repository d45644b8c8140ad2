"""Two replicas in a real Ray cluster on this machine: `make test-cluster`."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mgie_engine.cluster.ray_cluster import RayCluster, cluster_editor
from mgie_engine.edits import EditResult
from mgie_engine.serving.service import EditHandle, EditService
from tests.support.fakes import a_request
from tests.support.ray_machine import deploy_replicas, ray_machine

pytestmark = pytest.mark.skipif("MGIE_TEST_CLUSTER" not in os.environ, reason="make test-cluster")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ray_machine() as address:
        deploy_replicas(address, json.dumps({"weights": "w1"}))
        yield address


def a_service(address: str, bot: str) -> EditService:
    return EditService(cluster_editor(RayCluster(address, bot)))


def ask(service: EditService, key: str, instruction: str = "make it red", owner: str = "ann") -> EditHandle:
    return service.submit_nowait(key, owner, a_request(instruction))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if holds():
                return
            await asyncio.sleep(0.05)


def running(service: EditService) -> list[int]:
    return [device.running for device in service.stats().devices]


async def test_edits_use_the_slots_of_both_replicas(address: str, tmp_path: Path):
    signpost = tmp_path / "go on"
    async with a_service(address, "a") as service, asyncio.timeout(120):
        handles = [ask(service, f"t{n}", f"wait for {signpost}", f"user{n}") for n in range(5)]
        await until(lambda: running(service) == [2, 2])
        assert service.stats().waiting == 1
        signpost.touch()
        for handle in handles:
            assert isinstance(await handle.result(), EditResult)


async def test_a_cancelled_edit_ends_in_the_replica(address: str, tmp_path: Path):
    async with a_service(address, "a") as service, asyncio.timeout(120):
        handle = ask(service, "t1", f"wait for {tmp_path / 'nothing'}")
        await until(lambda: sum(running(service)) == 1)
        handle.cancel()
        await until(lambda: running(service) == [0, 0])


async def test_a_killed_replica_is_replaced_and_its_edits_are_made_by_the_other(address: str, tmp_path: Path):
    signpost = tmp_path / "go on"
    async with a_service(address, "a") as service, asyncio.timeout(120):
        others = [ask(service, f"t{n}", f"wait for {signpost}", f"user{n}") for n in range(3)]
        await until(lambda: sum(running(service)) == 3)
        deadly = ask(service, "deadly", f"kill the parent once for {tmp_path / 'once'}", "eve")
        await until(lambda: service.stats().retried > 0)
        signpost.touch()
        for handle in (*others, deadly):
            assert isinstance(await handle.result(), EditResult)
        await until(lambda: [device.ready for device in service.stats().devices] == [True, True])
        assert isinstance(await ask(service, "later").result(), EditResult)


async def test_what_a_killed_bot_left_is_dropped_within_ten_seconds(address: str, tmp_path: Path):
    dead = cluster_editor(RayCluster(address, "dead"))
    async with a_service(address, "alive") as service, asyncio.timeout(120):
        await dead.start()
        edit = asyncio.create_task(dead.run(a_request(f"wait for {tmp_path / 'nothing'}"), lambda _: None))
        await until(lambda: sum(running(service)) == 1)
        (process,) = dead._processes
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)  # as a machine that is cut off: nothing is cancelled
        await until(lambda: running(service) == [0, 0])
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.wait((edit,))
        await dead.close()


async def test_replaced_replicas_finish_their_edits_and_new_edits_get_the_new_weights(
    address: str, tmp_path: Path
):
    signpost = tmp_path / "go on"
    async with a_service(address, "a") as service, asyncio.timeout(240):
        old = [ask(service, f"t{n}", f"wait for {signpost}", f"user{n}") for n in range(2)]
        await until(lambda: sum(running(service)) == 2)
        deploying = asyncio.create_task(
            asyncio.to_thread(deploy_replicas, address, json.dumps({"weights": "w2"}))
        )
        await asyncio.sleep(15.0)  # longer than an edit may go unheard
        assert isinstance(await ask(service, "new", owner="eve").result(), EditResult)
        signpost.touch()
        for handle in old:
            assert isinstance(await handle.result(), EditResult)
        await deploying
        assert isinstance(await ask(service, "last").result(), EditResult)
        assert (service.stats().retried, service.stats().failed) == (0, 0)
