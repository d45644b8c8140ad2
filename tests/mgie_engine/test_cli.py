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


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["scenes", "render", "--count", "-3", "--out", "x"], "'-3' is not a whole number from 1"),
        (["scenes", "render", "--seed", "-1", "--out", "x"], "'-1' is not a whole number from 0"),
        (["scenes", "render", "--size", "5000", "--out", "x"], "'5000' is above 4096 pixels"),
        (["scenes", "render", "--size", "0", "--out", "x"], "'0' is not a whole number from 16"),
        (["train", "mini", "--folder", "x", "--stories", "0"], "'0' is not a whole number from 1"),
        (["train", "mini", "--folder", "x", "--minutes", "nan"], "'nan' is not a number above 0"),
        (["train", "stage", "dataset", "--folder", "x", "--until", "soon"], "'soon' is not a number from 0"),
        (["train", "variants", "--folder", "x", "--processes", "0"], "'0' is not a whole number from 1"),
        (["evaluate", "variants", "x", "--count", "-1"], "'-1' is not a whole number from 0"),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_command_that_prints_a_result_has_json(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["scenes", "render", "--count", "1", "--size", "64", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path), "edits": 1}
