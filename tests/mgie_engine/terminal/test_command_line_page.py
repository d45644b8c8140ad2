"""The console blocks of docs/command-line.md run as they are written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/command-line.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)]
MADE = [
    "house-edited.png",
    "warm.webp",
    "darker/hills.jpg",
    "darker/house.png",
    "red.png",
    "house-v2.png",
    "mgie.bash",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples and, in bin/, the command."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("house.png", "hills.jpg"):
        shutil.copy(ROOT / "bot/samples" / name, folder)
    (folder / "bin").mkdir()
    command = folder / "bin/mgie"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m mgie_engine.cli "$@"\n')
    command.chmod(0o755)
    return folder


def test_the_blocks_run_and_write_what_they_say(folder: Path):
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    script = "set -eo pipefail\n" + "\n".join(COMMANDS)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [name for name in MADE if not (folder / name).is_file()] == []
    assert "back at v0: house.png" in done.stdout
