"""The console and Python blocks of the README run as they are written, beside a bot that runs as it says."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.bot_process import SECONDS_TO_END
from tests.support.preloaded import mgie_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
(PYTHON,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PORT = "8000"  # as the README has it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The project's folder as a newcomer has it, with `mgie` in bin/."""
    (tmp_path / "bot").mkdir()
    shutil.copytree(ROOT / "bot/samples", tmp_path / "bot/samples")
    with mgie_command(tmp_path / "bin"):
        yield tmp_path


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """The port of a running bot's API."""
    number = free_port()
    settings = {**environment(folder), "WEB_PORT": "0", "API_PORT": str(number)}
    with subprocess.Popen(
        [sys.executable, "-m", "bot"], cwd=folder, env=settings, stdout=subprocess.PIPE, text=True
    ) as bot:
        try:
            assert "http://127.0.0.1:" in bot.stdout.readline()
            yield number
        finally:
            bot.send_signal(signal.SIGTERM)
        bot.wait(SECONDS_TO_END)


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": os.environ["HOME"],
        "OMP_NUM_THREADS": "2",
    }


def test_the_commands_and_the_program_run(folder: Path, port: int) -> None:
    script = "\n".join(["set -e", *COMMANDS, "python - <<'END'", PYTHON + "END"])
    script = script.replace(f":{PORT}/", f":{port}/").replace("python -", f"{sys.executable} -")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(folder),
        input="quit\n",  # to `mgie chat`
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads((folder / "answer.json").read_text())
    (folder / "api.png").write_bytes(base64.b64decode(answer["data"][0]["b64_json"]))
    with Image.open(folder / "hills.jpg") as before:
        size = before.size
    for name in ("hills-edited.jpg", "night.png", "api.png"):
        with Image.open(folder / name) as after:
            assert after.size == size
