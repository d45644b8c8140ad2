"""`mgie` from the command line."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie

SETTING_NAMES = ["--seed", "7", "--text-cfg", "7.5", "--image-cfg", "1.5", "--steps", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture, and a model in model/."""
    folder = tmp_path_factory.mktemp("cli")
    native.save(a_tiny_mgie(), folder / "model")
    (folder / "in.png").write_bytes(a_picture(50, 30))
    return folder


def edit(folder: Path, *more: str, picture: str = "in.png", output: str = "out.png") -> int:
    """Run `mgie edit` on the folder's picture with its model."""
    command = ["edit", str(folder / picture), "make the ball red", "-o", str(folder / output)]
    return main([*command, "--model", str(folder / "model"), "--device", "cpu", *more])


def test_an_edit_is_written_and_told_in_one_line_of_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert edit(folder, *SETTING_NAMES, "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    assert (report["seed"], report["text_cfg"], report["image_cfg"], report["steps"]) == (7, 7.5, 1.5, 2)
    assert report.keys() >= {"expressive", "sampler", "model", "size", "seconds"}
    assert set(report["seconds"]) == {"loading", "reading", "painting", "finishing"}
    with Image.open(folder / "out.png") as picture:
        assert list(picture.size) == report["size"] == [50, 30]


def test_the_same_command_twice_gives_identical_bytes(folder: Path):
    for output in ("one.png", "two.png"):
        assert edit(folder, *SETTING_NAMES, output=output) == 0
    assert (folder / "one.png").read_bytes() == (folder / "two.png").read_bytes()


def test_the_models_defaults_fill_what_was_not_said(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert edit(folder, "--json", "--steps", "1") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["sampler"], report["text_cfg"], report["keep"]) == ("dpmpp_2m", 1.5, "auto")
    assert 0 <= report["seed"] < 2**32


def test_a_corrected_reading_is_used(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert edit(folder, *SETTING_NAMES, "--reading", "The ball is red.", "--json") == 0
    assert json.loads(capsys.readouterr().out)["expressive"] == "The ball is red."


def test_without_json_it_is_told_in_words(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert edit(folder, *SETTING_NAMES) == 0
    assert "seed 7 · text CFG 7.5 · image CFG 1.5 · 2 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--steps", "0"], "steps must be between 1 and 200"),
        (["--model", "nothing"], "No model 'nothing'"),
        (["--device", "abacus"], "The device 'abacus' is not here"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
):
    assert edit(folder, *more) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"picture": "nothing.png"}, "No such file"),
        ({"output": "out.jpg"}, "written as a PNG"),
        ({"output": "nowhere/out.png"}, "no folder"),
    ],
)
def test_files_that_cannot_be_are_said_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], names: dict[str, str], sentence: str
):
    assert edit(folder, **names) == 1
    assert sentence in capsys.readouterr().err


def test_bytes_that_are_no_picture_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "no.png").write_bytes(b"no picture at all")
    assert edit(folder, picture="no.png") == 1
    assert capsys.readouterr().err.startswith("mgie: ")


def test_wrong_usage_is_code_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main(["edit"])
    assert "usage: mgie edit" in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["edit", "--help"])
    assert "mgie edit garden.jpg" in capsys.readouterr().out
