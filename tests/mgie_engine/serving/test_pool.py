"""A pool of real engine processes: free slots are used, and one that is killed disturbs no other."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch

from mgie_engine.edits import EditResult
from mgie_engine.errors import EngineDied, ModelError, ServiceClosed
from mgie_engine.serving.device_plan import DevicePlan, plan_devices, visible_gpus
from mgie_engine.serving.loader import ModelChoice
from mgie_engine.serving.pool import EnginePool, engine_pool
from mgie_engine.serving.process import EngineProcess, Timeouts
from mgie_engine.serving.protocol import Builder
from mgie_engine.serving.service import EditHandle, EditService
from tests.support.fake_engine import Deadly, Fake, Missing
from tests.support.fakes import a_request

FOR_EVER_S = 1e6
DOWN = Timeouts(first_pause_s=FOR_EVER_S, longest_pause_s=FOR_EVER_S)  # who dies stays dead
HASTY = Timeouts(first_pause_s=0.01)


def processes(
    *builders: Builder, slots: int | None = None, timeouts: Timeouts = HASTY
) -> list[EngineProcess]:
    return [
        EngineProcess(builder, slots, timeouts, f"fake:{number}") for number, builder in enumerate(builders)
    ]


@asynccontextmanager
async def a_service(engines: Sequence[EngineProcess]) -> AsyncIterator[EditService]:
    """A service in front of the engines, once the model is loaded by all of them."""
    pool = EnginePool(engines)
    async with asyncio.timeout(120), EditService(pool) as service:
        await until(lambda: all(device.ready for device in pool.devices))
        yield service


async def until(holds: Callable[[], bool]) -> None:
    """Look at what other processes change, about a hundred times a second."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.01)


def ask(service: EditService, key: str, instruction: str = "make it red", owner: str = "ann") -> EditHandle:
    return service.submit_nowait(key, owner, a_request(instruction))


def running(service: EditService) -> list[int]:
    return [device.running for device in service.stats().devices]


def kill(engine: EngineProcess) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)


async def test_edits_go_where_most_slots_are_free(tmp_path: Path):
    engines = processes(*[Fake()] * 3, slots=2)
    signpost = tmp_path / "go on"
    async with a_service(engines) as service:
        assert service.stats().slots == 6
        handles = [ask(service, f"t{number}", f"wait for {signpost}") for number in range(4)]
        await asyncio.gather(*(anext(handle.events()) for handle in handles))
        assert sorted(running(service)) == [1, 1, 2]
        signpost.touch()
        await asyncio.gather(*(handle.result() for handle in handles))
        assert running(service) == [0, 0, 0]


async def test_kill_9_of_one_of_four_stops_no_other_and_its_edits_are_retried_once(tmp_path: Path):
    engines = processes(*[Fake()] * 4, slots=2, timeouts=DOWN)
    before, after = tmp_path / "before", tmp_path / "after"
    async with a_service(engines) as service:
        pids = [engine.pid for engine in engines]
        open_edits = [ask(service, f"t{n}", f"wait for {before}", f"user{n}") for n in range(8)]
        await asyncio.gather(*(anext(handle.events()) for handle in open_edits))
        assert running(service) == [2, 2, 2, 2]
        kill(engines[1])
        await until(lambda: service.stats().retried == 2)
        stats = service.stats()
        assert [device.ready for device in stats.devices] == [True, False, True, True]
        assert (stats.slots, running(service)) == (6, [2, 0, 2, 2])  # the others have what they had
        before.touch()
        results = await asyncio.gather(*(handle.result() for handle in open_edits))
        assert all(isinstance(result, EditResult) for result in results)

        more = [ask(service, f"u{n}", f"wait for {after}", f"user{n}") for n in range(6)]
        await asyncio.gather(*(anext(handle.events()) for handle in more))
        assert running(service) == [2, 0, 2, 2]
        after.touch()
        await asyncio.gather(*(handle.result() for handle in more))
        stats = service.stats()
        assert (stats.done, stats.retried, stats.failed) == (14, 2, 0)
        assert [device.deaths for device in stats.devices] == [0, 1, 0, 0]
        assert [engine.pid for engine in engines] == [pids[0], None, pids[2], pids[3]]


async def test_an_edit_that_kills_every_process_it_meets_fails_alone_after_two():
    engines = processes(*[Fake()] * 3, slots=1, timeouts=DOWN)
    async with a_service(engines) as service:
        deadly = ask(service, "t1", "kill the process", "ann")
        with pytest.raises(EngineDied, match="signal 9"):
            await deadly.result()
        assert isinstance(await ask(service, "t2", owner="bob").result(), EditResult)
        assert sum(device.deaths for device in service.stats().devices) == 2


async def test_a_process_that_comes_back_is_given_what_waits(tmp_path: Path):
    engines = processes(*[Fake()] * 2, slots=1)
    signpost = tmp_path / "go on"
    async with a_service(engines) as service:
        handles = [ask(service, f"t{n}", f"wait for {signpost}", f"user{n}") for n in range(2)]
        await asyncio.gather(*(anext(handle.events()) for handle in handles))
        kill(engines[0])
        await until(lambda: service.stats().retried == 1 and running(service) == [1, 1])
        signpost.touch()
        await asyncio.gather(*(handle.result() for handle in handles))


async def test_one_device_without_the_model_leaves_the_others_working():
    engines = processes(Missing(), Fake(), slots=1)
    async with EditService(EnginePool(engines)) as service, asyncio.timeout(120):
        await until(lambda: engines[0].fault is not None and engines[1].ready)
        assert isinstance(await ask(service, "t1").result(), EditResult)
        first, second = service.stats().devices
        assert (first.fault, second.fault) == ("No model 'nothing'.", None)
        assert service.stats().slots == 1


async def test_a_model_that_is_nowhere_is_said():
    async with EditService(EnginePool(processes(Missing(), Missing()))) as service, asyncio.timeout(120):
        with pytest.raises(ModelError, match="No model 'nothing'"):
            await ask(service, "t1").result()


async def test_processes_that_all_die_while_loading_fail_the_edits_that_wait():
    async with EditService(EnginePool(processes(Deadly(), Deadly()))) as service, asyncio.timeout(120):
        with pytest.raises(EngineDied, match="Every engine process died"):
            await ask(service, "t1").result()


async def test_closing_ends_every_process_and_the_edits(tmp_path: Path):
    engines = processes(*[Fake()] * 2, slots=1)
    async with a_service(engines) as service:
        pids = [engine.pid for engine in engines]
        handles = [ask(service, f"t{n}", f"wait for {tmp_path / 'nothing'}") for n in range(3)]
        await asyncio.gather(*(anext(handle.events()) for handle in handles[:2]))
    for handle in handles:
        with pytest.raises(ServiceClosed):
            await handle.result()
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("wanted", "gpus", "names"),
    [
        ("auto", ["0", "1"], ["cuda:0", "cuda:1"]),
        ("auto", [], ["auto"]),
        ("cpu", ["0", "1"], ["cpu"]),
        ("cuda", ["0", "1"], ["cuda:0"]),
        ("cuda:1", ["0", "1"], ["cuda:1"]),
        ("cuda:2", ["0", "1"], ["cuda:2"]),
    ],
)
def test_the_devices_that_get_a_process(wanted: str, gpus: list[str], names: list[str]):
    assert [plan.name for plan in plan_devices(wanted, gpus)] == names


def test_a_process_sees_only_its_own_gpu():
    (second,) = plan_devices("cuda:1", ["GPU-a", "GPU-b"])
    assert second == DevicePlan("cuda:1", "cuda", {"CUDA_VISIBLE_DEVICES": "GPU-b"})
    (missing,) = plan_devices("cuda:2", ["GPU-a", "GPU-b"])
    assert missing == DevicePlan("cuda:2", "cuda:2")  # the engine process says which there are


async def test_the_gpus_are_those_that_torch_finds():
    assert len(await visible_gpus()) == torch.cuda.device_count()
    assert len(await visible_gpus({"CUDA_VISIBLE_DEVICES": "7, GPU-a"})) <= torch.cuda.device_count()


def test_a_pool_has_a_process_per_device():
    pool = engine_pool(ModelChoice(), plan_devices("auto", ["0", "1"]), slots=3)
    assert [device.name for device in pool.devices] == ["cuda:0", "cuda:1"]
    assert not pool.ready
