"""What operators see: alive, ready, and the figures."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.ops import health
from bot.ops.health import health_app, health_server
from bot.ops.metrics import Metrics
from mgie_engine.edits import DeviceState
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import workflow_room


class Checks:
    """Two checks the test decides; one that breaks, and one that hangs."""

    def __init__(self) -> None:
        self.engine: str | None = None

    async def engine_is_ready(self) -> str | None:
        return self.engine

    async def store_answers(self) -> str | None:
        return None

    async def breaks(self) -> str | None:
        raise OSError("disk on fire")

    async def hangs(self) -> str | None:
        await asyncio.Event().wait()
        return None


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def test_ready_when_every_check_holds(http):
    checks = Checks()
    app = health_app({"engine": checks.engine_is_ready, "store": checks.store_answers}, Metrics().registry)
    async with (
        health_server(app, "127.0.0.1", 0) as port,
        http.get(f"http://127.0.0.1:{port}/readyz") as answer,
    ):
        assert answer.status == 200
        assert await answer.json() == {
            "ready": True,
            "checks": {"engine": True, "store": True},
            "reasons": {},
        }


async def test_not_ready_says_what_is_missing_but_is_alive(http, monkeypatch):
    checks = Checks()
    monkeypatch.setattr(health, "CHECK_S", 0.01)
    checks.engine = "the model is being loaded"
    named = {"engine": checks.engine_is_ready, "store": checks.breaks, "disk": checks.hangs}
    app = health_app(named, Metrics().registry)
    async with health_server(app, "127.0.0.1", 0) as port:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {
                "ready": False,
                "checks": {"engine": False, "store": False, "disk": False},
                "reasons": {
                    "engine": "the model is being loaded",
                    "store": "disk on fire",
                    "disk": "no answer within 0 s",
                },
            }
        async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200


async def test_what_pictures_take_and_what_is_free_are_read_when_they_are_fetched(http):
    metrics, stored = Metrics(), [1000]
    metrics.watch_disk(lambda: stored[0], lambda: 5000)
    stored[0] = 2000
    async with (
        health_server(health_app({}, metrics.registry), "127.0.0.1", 0) as port,
        http.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    assert "mgie_stored_bytes 2000.0" in text
    assert "mgie_disk_free_bytes 5000.0" in text


async def test_the_figures_of_each_device_are_on_the_page(http):
    metrics = Metrics()
    devices = [
        DeviceState("cuda:0", True, slots=8, running=3, deaths=0),
        DeviceState("cuda:1", False, slots=8, running=0, deaths=2),
    ]
    metrics.watch_devices(lambda: devices)
    async with (
        health_server(health_app({}, metrics.registry), "127.0.0.1", 0) as port,
        http.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    assert 'mgie_device_ready{device="cuda:0"} 1.0' in text
    assert 'mgie_device_running{device="cuda:0"} 3.0' in text
    assert 'mgie_device_ready{device="cuda:1"} 0.0' in text
    assert 'mgie_device_deaths_total{device="cuda:1"} 2.0' in text


async def test_the_figures_of_an_edit_are_counted_and_nobody_is_named(tmp_path, http):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        await d.workflow.handle(d.asked("undo"))
        await d.workflow.handle(d.asked("make it red " * 50))
        app = health_app({}, d.metrics.registry)
        async with (
            health_server(app, "127.0.0.1", 0) as port,
            http.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            text = await answer.text()
    assert 'mgie_jobs_total{kind="first",state="done"} 1.0' in text
    assert 'mgie_moves_total{move="undo"} 1.0' in text
    assert 'mgie_edits_dropped_total{reason="text"} 1.0' in text
    assert 'mgie_stage_seconds_count{stage="painting"} 1.0' in text
    assert "ann" not in text
