"""The real Prometheus reads a bot with the shipped configuration; skipped where it is not installed."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientError, ClientSession

from bot.ops.health import health_app, health_server
from bot.ops.metrics import Metrics
from mgie_engine.edits import DeviceState

DEPLOY = Path(__file__).parents[1] / "deploy"
CONFIG = DEPLOY / "prometheus/prometheus.yml"
BOARD = DEPLOY / "grafana/dashboards/mgie-bot.json"
TRIES = 300
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="Prometheus is not installed",
)


def asked() -> list[str]:
    """Every expression of the alerts and the dashboard."""
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    board = json.loads(BOARD.read_text("utf-8"))
    expressions = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    return expressions + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def shipped_config(bot_port: int) -> dict[str, Any]:
    """prometheus.yml as it is shipped, read once a second from a bot on this machine."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(CONFIG.parent / name) for name in config["rule_files"]]
    (scrape,) = config["scrape_configs"]
    scrape["static_configs"] = [{"targets": [f"127.0.0.1:{bot_port}"]}]
    return config


class Prometheus:
    """The API of a Prometheus that runs."""

    def __init__(self, http: ClientSession, port: int) -> None:
        self._http, self._address = http, f"http://127.0.0.1:{port}/api/v1"

    async def data(self, path: str, **parameters: str) -> Any:
        """The data of an answer; it must be a success."""
        async with self._http.get(f"{self._address}/{path}", params=parameters) as answer:
            body = await answer.json()
        assert body["status"] == "success", (path, parameters, body)
        return body["data"]

    async def health(self) -> str:
        """The health of its one target: unknown until it was read once, then up or down."""
        try:
            (target,) = (await self.data("targets"))["activeTargets"]
        except (ClientError, ValueError):  # not listening, not ready, or nothing loaded yet
            return "unknown"
        return str(target["health"])


@asynccontextmanager
async def prometheus(folder: Path, bot_port: int) -> AsyncIterator[Prometheus]:
    """A Prometheus that has read the bot once."""
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(shipped_config(bot_port)), "utf-8")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = {
        "config.file": config,
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        *(f"--{name}={value}" for name, value in options.items()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as http:
            server = Prometheus(http, port)
            for _ in range(TRIES):
                if await server.health() != "unknown":
                    break
                await asyncio.sleep(0.1)
            yield server
    finally:
        process.terminate()
        await process.wait()


async def test_prometheus_reads_the_bot_and_every_metric_that_is_asked_for_is_there(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.watch(lambda: 0, lambda: 0, lambda: 1)
    metrics.watch_devices(lambda: [DeviceState("cpu", ready=False, slots=1, running=0, deaths=0)])
    async with (
        health_server(health_app({}, metrics.registry), "127.0.0.1", 0) as bot_port,
        prometheus(tmp_path, bot_port) as server,
    ):
        assert await server.health() == "up"
        rules = [rule for group in (await server.data("rules"))["groups"] for rule in group["rules"]]
        assert len(rules) == 8
        for expression in asked():
            await server.data("query", query=expression)
        assert await server.data("query", query="sum(mgie_device_ready) == 0")
        known = {family["metric"] for family in await server.data("targets/metadata")}
        for family in metrics.registry.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            assert name in known


def test_every_alert_fires_in_a_bad_hour_and_none_in_a_good_one() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(DEPLOY / "prometheus/alerts_test.yml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bad_hour_has_every_alert() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    names = [rule["alert"] for group in alerts["groups"] for rule in group["rules"]]
    bad = yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text("utf-8"))["tests"][0]
    fired = [sample["labels"] for sample in bad["promql_expr_test"][0]["exp_samples"]]
    assert fired == [f'{{alertname="{name}"}}' for name in names]
