"""`mgie chat` through a pipe and through a real terminal, with a tiny model."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.terminal.terminal_chat import free_stem
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat") / "model"
    native.save(a_tiny_mgie(), folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with in.png."""
    monkeypatch.chdir(tmp_path)
    Path("in.png").write_bytes(a_picture(50, 30))
    return tmp_path


@pytest.fixture
def chat(model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Says lines to `mgie chat in.png`; the exit code."""

    def run(*lines: str, options: tuple[str, ...] = ()) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        settings = ("--model", str(model), "--device", "cpu", "--steps", "2")
        return main(["chat", "in.png", *settings, *options])

    return run


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- through a pipe ------------------------------------------------------------------------------------------


def test_versions_are_written_beside_the_picture(chat, folder: Path, capsys: pytest.CaptureFixture[str]):
    assert chat("make it winter", "now the roof too", "undo that", "again") == 0
    assert files(folder) == ["in-v1.png", "in-v2.png", "in-v3.png", "in.png"]
    assert "back at v1: in-v1.png" in capsys.readouterr().out


def test_a_rejection_asks_what_was_meant_and_the_latest_is_found(chat, capsys: pytest.CaptureFixture[str]):
    assert chat("make it winter", "no, not like that", "go to the latest", "show the latest") == 0
    out = capsys.readouterr().out
    assert "back at v0: in.png\nWhat did you mean instead?" in out
    assert "back at v1: in-v1.png" in out


def test_each_line_is_one_line_of_json(chat, capsys: pytest.CaptureFixture[str]):
    lines = ("make it winter", "compare with v1", "history", "undo", "thanks!", "help")
    assert chat(*lines, options=("--json", "--seed", "7")) == 1
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["line"] for one in told] == list(lines)
    edit, compared, history, undone, chatter, helped = told
    assert (edit["version"], edit["parent"], edit["file"], edit["seed"]) == (1, 0, "in-v1.png", 7)
    assert compared["file"] == "in-v0-v1.webp"
    assert [one["version"] for one in history["versions"]] == [0, 1]
    assert (undone["version"], undone["file"]) == (0, "in.png")
    assert "asks for no edit" in chatter["error"]
    assert "make it winter" in helped["text"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("undo", "nothing to undo"),
        ("stronger", "nothing to repeat"),
        ("compare", "nothing to compare"),
        ("show v9", "no version v9"),
        ("undo my shoelaces maybe", "Did you mean “undo”?"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_conversation_goes_on(
    chat, folder: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
):
    assert chat(line, "make it winter") == 1
    out = capsys.readouterr().out
    assert told in out
    assert "in-v1.png" in out


def test_words_in_quotes_are_an_instruction(chat, folder: Path):
    assert chat('"undo the braid"') == 0
    assert files(folder) == ["in-v1.png", "in.png"]


def test_a_second_conversation_replaces_no_version(chat, folder: Path):
    for _ in range(2):
        assert chat("make it winter") == 0
    assert files(folder) == ["in-2-v1.png", "in-v1.png", "in.png"]


def test_versions_may_go_to_a_folder(chat, folder: Path):
    assert chat("make it winter", options=("-o", "versions")) == 0
    assert files(folder / "versions") == ["in-v1.png"]


def test_a_name_with_signs_of_patterns_is_a_name(tmp_path: Path):
    (tmp_path / "a[1]-v1.png").touch()
    assert free_stem(tmp_path / "a[1]").name == "a[1]-2"


@pytest.mark.parametrize(("name", "code"), [("missing.png", 1), (".", 2), ("-", 2)])
def test_a_conversation_is_about_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
):
    Path("other.png").write_bytes(a_picture())
    assert main(["chat", name]) == code
    assert capsys.readouterr().err.startswith("mgie: ")


# -- at a terminal -------------------------------------------------------------------------------------------


def _take_interrupts() -> None:
    """SIGINT as at a terminal: a test that runs in the background inherits that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """`mgie chat in.png` in a terminal of 100 columns."""

    def __init__(self, model: Path) -> None:
        self._mine, its = pty.openpty()
        termios.tcsetwinsize(its, (40, 100))
        command = [
            sys.executable,
            "-m",
            "mgie_engine.cli",
            "chat",
            "in.png",
            "--device",
            "cpu",
            "--steps",
            "200",
        ]
        self.process = subprocess.Popen(
            [*command, "--model", str(model)],
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
            preexec_fn=_take_interrupts,
        )
        os.close(its)

    def says(self, text: bytes) -> None:
        os.write(self._mine, text)

    def until(self, text: str) -> str:
        """What is shown until that text is."""
        shown = b""
        while text.encode() not in shown:
            shown += os.read(self._mine, 1024)
        return shown.decode()

    def close(self) -> None:
        os.close(self._mine)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def terminal(model: Path, folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(model)
    yield terminal
    terminal.close()


def test_a_conversation_at_a_terminal(terminal: Terminal, folder: Path):
    assert "in.png, 50 × 30" in terminal.until("v0> ")
    terminal.says(b"make it winter\n")
    assert "in-v1.png" in terminal.until("v1> ")
    terminal.says(b"make it darker\n")
    terminal.until("painting")
    terminal.process.send_signal(signal.SIGINT)
    assert "stopped" in terminal.until("v1> ")
    terminal.says(b"undo that\n")
    assert "back at v0: in.png" in terminal.until("v0> ")
    terminal.says(b"\x04")
    assert terminal.process.wait() == 0
    assert files(folder) == ["in-v1.png", "in.png"]
