"""The console blocks of docs/command-line.md run as they are written."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.preloaded import mgie_command

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


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the samples and, in bin/, the command."""
    for name in ("house.png", "hills.jpg"):
        shutil.copy(ROOT / "bot/samples" / name, tmp_path)
    with mgie_command(tmp_path / "bin"):
        yield tmp_path


def test_the_blocks_run_and_write_what_they_say(folder: Path):
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    script = "set -eo pipefail\n" + "\n".join(COMMANDS)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [name for name in MADE if not (folder / name).is_file()] == []
    assert "back at v0: house.png" in done.stdout
