"""The files for operators agree with the bot: its metrics, its settings, its folders."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.ops.metrics import Metrics
from bot.settings import Settings
from mgie_engine.edits import DeviceState

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "mgie-bot.service"
METRIC = re.compile(r"\bmgie_[a-z_]+")
SETTINGS = {name.upper() for name in Settings.model_fields}


def exposed() -> set[str]:
    """The names of every series on /metrics."""
    metrics = Metrics()
    metrics.watch_devices(lambda: [DeviceState("cuda:0", ready=True, slots=8, running=0, deaths=0)])
    names = set()
    for family in metrics.registry.collect():
        parts = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {f"{family.name}{part}" for part in parts}
    return names


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return read


def test_alerts_and_dashboard_ask_for_metrics_that_there_are() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    asked = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    board = json.loads((DEPLOY / "grafana/dashboards/mgie-bot.json").read_text("utf-8"))
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = {name for expression in asked for name in METRIC.findall(expression)}
    assert names
    assert names <= exposed()


def test_every_alert_says_what_to_look_at() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))
    for group in alerts["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "look"}, rule["alert"]


def test_the_image_copies_what_is_there_and_is_sent() -> None:
    sent = set((ROOT / ".dockerignore").read_text("utf-8").split())
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--)(.+)$", text, re.M) for name in line.split()[:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name.rstrip('/')}" in sent


def names_set(pattern: str, text: str) -> set[str]:
    """The names before "=" in what a pattern finds in every line."""
    return {pair.partition("=")[0] for line in re.findall(pattern, text, re.M) for pair in line.split()}


def test_settings_of_image_compose_and_unit_are_settings_of_the_bot() -> None:
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    named = {
        pair.partition("=")[0] for line in re.findall(r"^ENV (.+)$", image, re.M) for pair in line.split()
    }
    named |= set(compose()["services"]["bot"]["environment"])
    unit = UNIT.read_text("utf-8")
    named |= {
        pair.partition("=")[0]
        for line in re.findall(r"^Environment=(.+)$", unit, re.M)
        for pair in line.split()
    }
    assert {name for name in named if not name.startswith(("PATH", "PIP_"))} <= SETTINGS


def test_what_compose_mounts_is_there() -> None:
    services = compose()["services"]
    mounts = [mount for service in services.values() for mount in service["volumes"]]
    for source in (mount.partition(":")[0] for mount in mounts):
        assert (DEPLOY / source).is_dir() if source.startswith(".") else source in compose()["volumes"]
    grace_s = int(services["bot"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > Settings.model_fields["drain_seconds"].default


def test_what_compose_passes_on_is_known_and_said() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    explained = (ROOT / "docs/hosting.md").read_text("utf-8")
    for name in re.findall(r"\$\{([A-Z_]+)", text):
        assert name in explained
    build = compose()["services"]["bot"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert set(build["args"]) == set(re.findall(r"^ARG (\w+)", image, re.M))


def test_nobody_else_reaches_the_services_and_each_finds_the_other() -> None:
    services = compose()["services"]
    ports = {name: service.get("ports", []) for name, service in services.items()}
    assert ports == {"bot": [], "prometheus": ["127.0.0.1:9091:9090"], "grafana": ["127.0.0.1:3000:3000"]}
    scrape = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"]
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    assert scrape[0]["static_configs"][0]["targets"] == [
        f"bot:{services['bot']['environment']['HEALTH_PORT']}"
    ]
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    board = json.loads((DEPLOY / "grafana/dashboards/mgie-bot.json").read_text("utf-8"))
    named = {panel["datasource"]["uid"] for panel in board["panels"]}
    assert named == {source["datasources"][0]["uid"]}


def test_grafana_finds_its_dashboards_where_compose_mounts_them() -> None:
    mounts = dict(mount.split(":")[:2] for mount in compose()["services"]["grafana"]["volumes"])
    text = (DEPLOY / "grafana/provisioning/dashboards/mgie.yml").read_text("utf-8")
    for provider in yaml.safe_load(text)["providers"]:
        assert provider["options"]["path"] == mounts["./grafana/dashboards"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_sound(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/mgie/.venv/bin/mgie-bot", "/bin/true"), "utf-8")
    done = subprocess.run(
        shlex.split(f"systemd-analyze verify {unit}"), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_prometheus_takes_its_configuration() -> None:
    config = DEPLOY / "prometheus/prometheus.yml"
    done = subprocess.run(
        ["promtool", "check", "config", str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
