"""The bot's side: edits go where slots are, end when nobody waits, and survive replicas that go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from mgie_engine.cluster.cluster_client import ClusterClient
from mgie_engine.cluster.cluster_messages import Held, event_message
from mgie_engine.cluster.replica import Replica
from mgie_engine.edits import EditResult, Progress
from mgie_engine.errors import EngineDied, EngineError
from tests.support.fake_cluster import FakeCluster
from tests.support.fakes import ScriptedEditor, a_request, painting


class Cluster:
    """A client, its cluster, and the editors of the replicas."""

    def __init__(self, weights: str, slots: int) -> None:
        self.editors = [ScriptedEditor(slots=slots) for _ in weights]
        self.replicas = [
            Replica(editor, f"r{number}", letter, progress_every_s=0.0)
            for number, (editor, letter) in enumerate(zip(self.editors, weights, strict=True))
        ]
        self.calls = FakeCluster(*self.replicas)
        self.changes = 0
        self.client = ClusterClient(self.calls, "bot", self._changed, instance=7)
        self.progress: list[Progress] = []

    def _changed(self) -> None:
        self.changes += 1

    def begin(self, key: str) -> asyncio.Task[EditResult]:
        return asyncio.create_task(self.client.run(key, a_request(), self.progress.append))


@asynccontextmanager
async def cluster(weights: str = "ww", slots: int = 2) -> AsyncIterator[Cluster]:
    made = Cluster(weights, slots)
    async with asyncio.timeout(60):
        await made.calls.connect()
        await made.client.sign()
        yield made
    for replica in made.replicas:
        await replica.close()


async def test_an_edit_gives_its_picture_and_progress():
    async with cluster() as c:
        task = c.begin("k1")
        edit = await c.editors[0].started()
        edit.report(painting(1))
        edit.finish()
        assert isinstance(await task, EditResult)


async def test_slots_are_those_of_all_ready_replicas():
    async with cluster("www") as c:
        assert c.client.slots == 6
        assert [device.name for device in c.client.devices] == ["r0", "r1", "r2"]
        c.editors[1].ready = False
        await c.client.sign()
        assert c.client.slots == 4
        assert c.changes == 2


async def test_edits_of_other_bots_take_slots():
    async with cluster() as c:
        other = ClusterClient(c.calls, "another", lambda: None, instance=1)
        await other.sign()
        task = asyncio.create_task(other.run("k1", a_request(), lambda _: None))
        await c.editors[0].started()
        await c.client.sign()
        assert c.client.slots == 3
        task.cancel()


async def test_edits_of_a_replica_that_is_being_replaced_take_no_slots_of_the_others():
    async with cluster() as c:
        first = c.begin("k1")
        edit = await c.editors[0].started()
        second = c.begin("k2")
        other = await c.editors[1].started()
        c.calls.draining.add(c.replicas[0])
        await c.client.sign()
        assert c.client.slots == 3  # two of the other replica, and the one that is being finished
        edit.finish()
        other.finish()
        await asyncio.gather(first, second)


async def test_signs_of_life_name_the_open_edits():
    async with cluster() as c:
        task = c.begin("k1")
        edit = await c.editors[0].started()
        await c.client.sign()
        assert c.calls.signs[-1]["body"]["keys"] == ["k1"]
        edit.finish()
        await task
        await c.client.sign()
        assert c.calls.signs[-1]["body"] == {"bot": "bot", "instance": 7, "count": 3, "keys": []}


async def test_a_replica_that_dies_takes_its_edits_along():
    async with cluster() as c:
        task = c.begin("k1")
        await c.editors[0].started()
        c.calls.kill(c.replicas[0])
        with pytest.raises(EngineDied, match="gone"):
            await task


async def test_a_cancelled_edit_is_cancelled_in_the_replica():
    async with cluster() as c:
        task = c.begin("k1")
        edit = await c.editors[0].started()
        task.cancel()
        await asyncio.wait((task,))
        assert edit.cancelled


async def test_while_weights_are_replaced_an_edit_finds_a_replica_with_its_own(monkeypatch):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.TURNED_AWAY_PAUSE_S", 0.0)
    async with cluster("wv", slots=2) as c:
        c.replicas[0].weights, old = "v", c.replicas[0].weights  # replaced after the last sign
        task = c.begin("k1")
        await asyncio.sleep(0)
        await c.client.sign()
        (await c.editors[0].started()).finish()
        assert (await task).expressive == "(echo)"
        assert old == "w"


async def test_edits_that_are_turned_away_count_for_no_slots(monkeypatch):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.TURNED_AWAY_PAUSE_S", 0.0)
    async with cluster() as c:
        c.calls.kill(c.replicas[0])  # the client learns of it by the next sign
        tasks = [c.begin(f"k{number}") for number in range(4)]
        for _ in range(2):
            await c.editors[1].started()
        await c.calls.has_sent(10)
        c.calls.draining.add(c.replicas[0])
        await c.client.sign()
        assert c.client.slots == 2
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_an_edit_is_sent_until_a_replica_takes_it(monkeypatch):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.TURNED_AWAY_PAUSE_S", 0.0)
    async with cluster("w") as c:
        tasks = [c.begin(f"k{number}") for number in range(3)]
        taken = [await c.editors[0].started() for _ in range(2)]
        await c.calls.has_sent(100)
        for edit in taken:
            edit.finish()
        (await c.editors[0].started()).finish()
        assert [type(result) for result in await asyncio.gather(*tasks)] == [EditResult] * 3


async def test_an_edit_that_no_replica_answers_is_sent_again(monkeypatch):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.TURNED_AWAY_PAUSE_S", 0.0)
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.SILENCE_S", 0.01)
    async with cluster() as c:
        reached, tried = c.calls.edit, []

        async def first_never(message):
            tried.append(message)
            if len(tried) == 1:
                await asyncio.Event().wait()
            async with aclosing(reached(message)) as events:
                async for event in events:
                    monkeypatch.undo()
                    yield event

        c.calls.edit = first_never  # type: ignore[method-assign]
        task = c.begin("k1")
        (await c.editors[0].started()).finish()
        assert isinstance(await task, EditResult)
        assert len(tried) == 2


@pytest.mark.parametrize("ending", ["silence", "cancelled by Serve"])
async def test_an_edit_whose_events_stop_has_lost_its_replica(monkeypatch, ending: str):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.SILENCE_S", 0.01)
    async with cluster() as c:

        async def stops(message):
            yield event_message(Held())
            if ending == "silence":
                await asyncio.Event().wait()
            raise asyncio.CancelledError

        c.calls.edit = stops  # type: ignore[method-assign]
        with pytest.raises(EngineDied):
            await c.begin("k1")


async def test_a_cluster_that_is_gone_has_no_slots_and_comes_back(monkeypatch):
    monkeypatch.setattr("mgie_engine.cluster.cluster_client.CONNECT_AGAIN_S", 0.01)
    seen: list[int] = []
    turning = asyncio.Event()
    replica = Replica(ScriptedEditor(slots=2), "r0", "w")
    calls = FakeCluster(replica)

    def changed() -> None:
        seen.append(client.slots)
        turning.set()

    client = ClusterClient(calls, "bot", changed, sign_every_s=0.01)
    async with asyncio.timeout(60):
        serving = asyncio.create_task(client.serve())
        for is_reachable in (True, False, True):
            calls.is_reachable = is_reachable
            turning.clear()
            await turning.wait()
        serving.cancel()
    assert seen == [2, 0, 2]


async def test_an_edit_without_an_end_is_an_error():
    async with cluster() as c:

        async def nothing(message):
            for event in ():
                yield event

        c.calls.edit = nothing  # type: ignore[method-assign]
        with pytest.raises(EngineError, match="without a result"):
            await c.begin("k1")
