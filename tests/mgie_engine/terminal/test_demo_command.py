"""`mgie demo`: the classic page, called by gradio_client as programs call it."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie

PAGE = Path(__file__).parents[3] / "mgie_engine/terminal/demo_page.py"
needs_gradio = pytest.mark.skipif(
    importlib.util.find_spec("gradio") is None, reason="the extra mgie[gradio] is not installed"
)
LABELS = {
    "Input Image",
    "Goal Image",
    "Instruction",
    "Expressive Instruction",
    "Seed",
    "Text CFG",
    "Image CFG",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "model"
    native.save(a_tiny_mgie(), folder)
    return folder


@pytest.fixture(scope="module")
def client(model: Path) -> Iterator[Any]:
    """A gradio_client of the page that `mgie demo` serves."""
    from gradio_client import Client

    command = [sys.executable, "-u", "-m", "mgie_engine.cli", "demo", "--device", "cpu"]
    with subprocess.Popen(
        [*command, "--model", str(model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"},
    ) as process:
        assert process.stdout is not None
        said, address = "", None
        for line in process.stdout:
            said += line
            if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        assert address, said
        yield Client(address[0], verbose=False)
        process.kill()


def test_the_page_is_short():
    assert len(PAGE.read_text("utf-8").splitlines()) <= 80


def test_without_gradio_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "mgie: mgie demo needs Gradio: pip install 'mgie[gradio]'.\n"


@needs_gradio
def test_gradio_client_edits_a_picture(client: Any, tmp_path: Path):
    from gradio_client import handle_file

    (tmp_path / "in.png").write_bytes(a_picture(50, 30))
    picture = handle_file(str(tmp_path / "in.png"))
    goal, expressive = client.predict(picture, "make the ball red", 13331, 7.5, 1.5, api_name="/edit")
    with Image.open(goal if isinstance(goal, str) else goal["path"]) as edited:
        assert edited.size == (50, 30)
    assert expressive


@needs_gradio
def test_the_page_has_the_fields_and_the_seed_of_the_published_demo(client: Any):
    parts = [part["props"] for part in client.config["components"]]
    assert {part.get("label") for part in parts} >= LABELS
    assert next(part["value"] for part in parts if part.get("label") == "Seed") == 13331


@needs_gradio
def test_what_cannot_be_edited_is_said(client: Any, tmp_path: Path):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    (tmp_path / "in.png").write_bytes(a_picture(50, 30))
    picture = handle_file(str(tmp_path / "in.png"))
    with pytest.raises(AppError, match="instruction is empty"):
        client.predict(picture, " ", 13331, 7.5, 1.5, api_name="/edit")
    with pytest.raises(AppError, match="input image first"):
        client.predict(None, "darker", 13331, 7.5, 1.5, api_name="/edit")
