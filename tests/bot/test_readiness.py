"""/readyz holds only while requests are answered, disk and database can be written, the model is there."""

import asyncio
import sqlite3

import pytest

from bot.chat.offered_pictures import OfferedPictures, PictureOffer, offered
from bot.ops.health import Check
from bot.readiness import SLOW_REQUEST_S, engine_objection, readiness_checks
from conversations.errors import StoreError
from mgie_engine.errors import ModelError
from mgie_engine.serving.process import EngineProcess
from mgie_engine.serving.service import EditService
from tests.support.fake_engine import Missing
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture, a_request
from tests.support.workflow_room import Clock, WorkflowRoom, workflow_room


def checks_of(d: WorkflowRoom, min_free_bytes: int = 0) -> dict[str, Check]:
    return dict(readiness_checks(d.store, d.workflow, d.service, d.images.folder, min_free_bytes))


async def test_all_is_well(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        assert [await check() for check in checks_of(d).values()] == [None] * 5


async def test_a_request_that_hangs_is_told_by_a_clock_that_nobody_sets(tmp_path):
    uptime = Clock()
    is_asked, arrives = asyncio.Event(), asyncio.Event()

    async def slow_download() -> OfferedPictures | None:
        is_asked.set()
        await arrives.wait()
        return await offered(a_picture()).find()

    async with workflow_room(tmp_path, EchoEditor(), uptime=uptime) as d:
        intake = checks_of(d)["intake"]
        event = d.asked("make it red", own=PictureOffer(slow_download))
        asked = asyncio.create_task(d.workflow.handle(event))
        await is_asked.wait()
        d.clock.now += 1e6
        uptime.now += SLOW_REQUEST_S
        assert await intake() is None
        uptime.now += 20
        assert await intake() == "a request has waited 200 s for its first answer"
        arrives.set()
        await asked
        assert await intake() is None


async def test_a_full_disk_is_told_with_both_numbers(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        told = await checks_of(d, min_free_bytes=2**60)["disk"]()
    assert told is not None
    assert told.endswith(f" MiB are free, and no picture is stored below {2**40} MiB")


async def test_a_database_that_cannot_be_written_is_told(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        check = checks_of(d)["store"]
        other = sqlite3.connect(d.folder / "conversations.db", isolation_level=None)
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON last_write BEGIN SELECT raise(FAIL, 'disk full'); END"
        )
        with pytest.raises(StoreError, match="disk full"):
            await check()
        other.execute("DROP TRIGGER full")
        other.close()
        assert await check() is None


async def test_a_model_that_cannot_be_loaded_is_told_with_the_reason():
    async with EditService(ScriptedEditor(ready=False)) as service:
        assert engine_objection(service.stats()) == "the model is being loaded"
    async with EditService(EchoEditor()) as service:
        assert engine_objection(service.stats()) is None
    async with EditService(EngineProcess(Missing())) as service:
        with pytest.raises(ModelError):
            await service.submit_nowait("t1", "ann", a_request()).result()
        assert engine_objection(service.stats()) == "No model 'nothing'."
