"""What operators see: alive, ready, and the figures."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.ops.health import health_app, health_server
from bot.ops.metrics import Metrics
from tests.support.fakes import EchoEditor, a_picture
from tests.support.workflow_room import workflow_room


class Checks:
    """Two checks the test decides; one that breaks."""

    def __init__(self) -> None:
        self.engine = True

    async def engine_is_ready(self) -> bool:
        return self.engine

    async def store_answers(self) -> bool:
        return True

    async def breaks(self) -> bool:
        raise OSError("disk on fire")


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
        assert await answer.json() == {"ready": True, "checks": {"engine": True, "store": True}}


async def test_not_ready_says_what_is_missing_but_is_alive(http):
    checks = Checks()
    checks.engine = False
    app = health_app({"engine": checks.engine_is_ready, "store": checks.breaks}, Metrics().registry)
    async with health_server(app, "127.0.0.1", 0) as port:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["checks"] == {"engine": False, "store": False}
        async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200


async def test_the_figures_of_an_edit_are_counted_and_nobody_is_named(tmp_path, http):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        await d.accepted("make it red", picture=a_picture())
        await d.idle()
        await d.workflow.handle(d.asked("undo"))
        await d.workflow.handle(d.asked("x" * 500))
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
