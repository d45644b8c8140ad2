"""The Python blocks of docs/python.md run as they are written."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
SAMPLES = ("house.png", "hills.jpg")


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_runs_as_written(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in SAMPLES:
        shutil.copy(ROOT / "bot/samples" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs/python.md", "exec"), {"__name__": "__main__"})
    for name in re.findall(r'\.save\("([^"]+)"\)', block):
        assert (tmp_path / name).stat().st_size > 0
