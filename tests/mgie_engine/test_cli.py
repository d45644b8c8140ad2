"""`mgie` itself: help, version, wrong usage, exit codes."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from mgie_engine.cli import main
from mgie_engine.lab.cli import COMMANDS


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "usage: mgie" in out
    user, lab = out.split("lab commands")
    assert "edit" in user
    assert all(name in lab for name in COMMANDS)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"mgie {version('mgie')}\n"


@pytest.mark.parametrize("argv", [["edit"], ["nothing"], ["edit", "--nothing"]])
def test_wrong_usage_is_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert "usage: mgie" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool):
    argv = ["edit", str(tmp_path / "missing.png"), "darker", *(["--json"] if as_json else [])]
    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert (bool(out), bool(err)) == (as_json, not as_json)
    told = json.loads(out)["error"] if as_json else err
    assert "There is no file" in told
    assert "Errno" not in told


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["edit", "--help"])
    assert "mgie edit garden.jpg" in capsys.readouterr().out
