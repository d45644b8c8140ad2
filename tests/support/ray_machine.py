"""A real Ray cluster of one machine, in processes of its own, that is ended with everything it started."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[2]
STOP_S, DEPLOY_S = 30.0, 180.0
DEPLOY = """
import json, sys
import ray
from mgie_engine.cluster.deployment import NAMESPACE, DeploymentSize, deploy
from {module} import {replica}
ray.init(address="{address}", namespace=NAMESPACE, log_to_driver=False)
deploy(json.loads(sys.argv[1]), DeploymentSize({replicas}, {slots}, 0.0, 0.1), {replica})
"""


def environment() -> dict[str, str]:
    """What Ray's processes need to import this project, and to tell nobody that they run."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "RAY_USAGE_STATS_ENABLED": "0"}


@contextmanager
def ray_machine() -> Iterator[str]:
    """Start Ray; gives the address of the cluster."""
    port = _free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=4", "--num-gpus=0", "--include-dashboard=false", "--disable-usage-stats"]
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:
        command += [f"--temp-dir={folder}", f"--ray-client-server-port={_free_port()}"]
        log = Path(folder) / "start.log"
        with log.open("w") as written:
            ray = subprocess.Popen(
                command, env=environment(), stdout=written, stderr=written, start_new_session=True
            )
        try:
            _wait_for_runtime(log, ray)
            yield f"127.0.0.1:{port}"
        finally:
            ray.send_signal(signal.SIGTERM)
            try:
                ray.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(ray.pid, signal.SIGKILL)
                ray.wait()


def deploy_replicas(
    address: str,
    plan: str,
    *,
    replicas: int = 2,
    slots: int = 2,
    module: str = "tests.support.cluster_replica",
    replica: str = "FakeReplica",
) -> None:
    """Deploy, or replace what is deployed; returns once the new replicas are ready. plan: as JSON."""
    code = DEPLOY.format(address=address, replicas=replicas, slots=slots, module=module, replica=replica)
    subprocess.run([sys.executable, "-c", code, plan], env=environment(), check=True, timeout=DEPLOY_S)


def _wait_for_runtime(log: Path, ray: "subprocess.Popen[bytes]") -> None:
    while "Ray runtime started" not in log.read_text():
        assert ray.poll() is None, log.read_text()
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
