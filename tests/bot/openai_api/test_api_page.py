"""The Python block of docs/api.md runs as it is written."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support.api_server import PaintingSeeds, api_server

ROOT = Path(__file__).parents[3]
(BLOCK,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.DOTALL)
ADDRESS = "http://127.0.0.1:8000/v1"  # as the page has it


async def test_the_program_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "bot/samples/house.png", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert ADDRESS in BLOCK
    async with api_server(tmp_path / "data", PaintingSeeds()) as api:
        program = compile(BLOCK.replace(ADDRESS, api.url), "docs/api.md", "exec")
        await asyncio.to_thread(exec, program, {"__name__": "__main__"})
    assert capsys.readouterr().out == "A bar.\n"
    with Image.open("darker.png") as darker, Image.open("house.png") as house:
        assert darker.size == house.size
