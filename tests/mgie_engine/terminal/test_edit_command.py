"""`mgie edit`: files in and out, what is printed, and the exit codes."""

import contextlib
import io
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from tests.support.fakes import a_picture
from tests.support.tiny_serving import a_tiny_mgie

SAMPLES = Path(__file__).parents[3] / "bot/samples"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edit") / "model"
    native.save(a_tiny_mgie(), folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with in.png and in.jpg."""
    monkeypatch.chdir(tmp_path)
    Path("in.png").write_bytes(a_picture(50, 30))
    Image.new("RGB", (50, 30), "teal").save("in.jpg")
    return tmp_path


@pytest.fixture
def edit(model: Path, folder: Path):
    """Runs `mgie edit` with the tiny model; the exit code."""

    def run(*arguments: str) -> int:
        return main(
            ["edit", *arguments, "--model", str(model), "--device", "cpu", "--steps", "2", "--seed", "7"]
        )

    return run


def test_an_edit_is_written_and_told_in_one_line_of_json(edit, capsys: pytest.CaptureFixture[str]):
    assert edit("in.png", "darker", "-o", "out.png", "--text-cfg", "7.5", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    assert (report["seed"], report["text_cfg"], report["steps"]) == (7, 7.5, 2)
    assert (report["picture"], report["output"]) == ("in.png", "out.png")
    assert report.keys() >= {"expressive", "sampler", "model", "size", "seconds"}
    assert set(report["seconds"]) == {"loading", "reading", "painting", "finishing"}
    with Image.open("out.png") as picture:
        assert list(picture.size) == report["size"] == [50, 30]


def test_the_same_command_twice_gives_identical_bytes(edit):
    for output in ("one.png", "two.png"):
        assert edit("in.png", "darker", "-o", output) == 0
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()


def test_the_models_defaults_fill_what_was_not_said(
    folder: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MGIE_MODEL", str(model))
    assert main(["edit", "in.png", "darker", "--json", "--steps", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["sampler"], report["text_cfg"], report["keep"]) == ("dpmpp_2m", 1.5, "auto")
    assert 0 <= report["seed"] < 2**32


def test_a_corrected_reading_is_used(edit, capsys: pytest.CaptureFixture[str]):
    assert edit("in.png", "darker", "--reading", "The ball is red.", "--json") == 0
    assert json.loads(capsys.readouterr().out)["expressive"] == "The ball is red."


def test_without_json_it_is_told_in_words(edit, capsys: pytest.CaptureFixture[str]):
    assert edit("in.png", "darker") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "seed 7 · text CFG 1.5 · image CFG 1 · 2 steps" in out
    assert "in-edited.png: 50 × 30" in out


def test_neither_seed_nor_steps_are_named_of_an_exact_adjustment(edit, capsys: pytest.CaptureFixture[str]):
    darker = "The whole picture gets darker. All things stay where they are."
    assert edit("in.png", "darker", "--reading", darker) == 0
    assert "\ntext CFG 1.5 · image CFG 1\n" in capsys.readouterr().out


def test_a_terminal_is_shown_that_the_model_loads_and_how_far_the_edit_is(folder: Path, model: Path):
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (25, 80))
    command = [sys.executable, "-m", "mgie_engine.cli", "edit", "in.png", "darker", "--device", "cpu"]
    with subprocess.Popen(
        [*command, "--model", str(model)], stdout=subprocess.PIPE, stderr=writer, env=os.environ
    ) as process:
        os.close(writer)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal's last writer has left
            while part := os.read(reader, 1024):
                shown += part
        assert process.stdout is not None
        said = process.stdout.read().decode()
    os.close(reader)
    assert process.returncode == 0
    assert f"Loading {model} …" in shown.decode()
    assert "painting" in shown.decode()
    assert "Loading" not in said


# -- where edits go ------------------------------------------------------------------------------------------


def test_without_output_a_free_name_beside_the_picture_is_used(edit):
    for _ in range(2):
        assert edit("in.jpg", "darker") == 0
    for name in ("in-edited.jpg", "in-edited-2.jpg"):
        with Image.open(name) as picture:
            assert picture.format == "JPEG"


@pytest.mark.parametrize(("output", "kind"), [("out.jpg", "JPEG"), ("out.webp", "WEBP"), ("out.PNG", "PNG")])
def test_the_suffix_names_the_format(edit, output: str, kind: str):
    assert edit("in.png", "darker", "-o", output) == 0
    with Image.open(output) as picture:
        assert picture.format == kind


@pytest.mark.parametrize("word", ["--force", "--yes"])
def test_a_file_that_exists_is_replaced_only_if_asked(edit, capsys: pytest.CaptureFixture[str], word: str):
    Path("out.png").write_bytes(b"mine")
    assert edit("in.png", "darker", "-o", "out.png") == 1
    assert "out.png exists; --force replaces it." in capsys.readouterr().err
    assert Path("out.png").read_bytes() == b"mine"
    assert edit("in.png", "darker", "-o", "out.png", word) == 0
    assert Path("out.png").read_bytes() != b"mine"


def test_a_picture_goes_through_pipes(edit, monkeypatch: pytest.MonkeyPatch):
    assert edit("in.png", "darker", "-o", "out.png") == 0
    out, err = io.BytesIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("in.png").read_bytes())))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out, isatty=lambda: False))
    monkeypatch.setattr(sys, "stderr", err)
    assert edit("-", "darker", "-o", "-") == 0
    assert out.getvalue() == Path("out.png").read_bytes()
    assert "seed 7" in err.getvalue()


def test_a_terminal_is_not_sent_a_picture(
    edit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert edit("in.png", "darker", "-o", "-") == 2
    assert "A terminal cannot show" in capsys.readouterr().err


# -- several pictures ----------------------------------------------------------------------------------------


def test_files_folders_and_patterns_are_edited_with_one_load(edit, capsys: pytest.CaptureFixture[str]):
    Path("more").mkdir()
    for name in ("a.png", "b.png", ".hidden.png", "notes.txt"):
        Path("more", name).write_bytes(a_picture())
    assert edit("in.png", "in.*", "more", "darker", "-o", "done/", "--json") == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["picture"] for report in reports] == ["in.png", "in.jpg", "more/a.png", "more/b.png"]
    assert sorted(path.name for path in Path("done").iterdir()) == ["a.png", "b.png", "in.jpg", "in.png"]
    assert ["loading" in report["seconds"] for report in reports] == [True, False, False, False]


def test_pictures_of_one_name_do_not_replace_one_another(edit):
    Path("more").mkdir()
    shutil.copy("in.png", "more/in.png")
    assert edit("in.png", "more/in.png", "darker", "-o", "done/") == 0
    assert sorted(path.name for path in Path("done").iterdir()) == ["in-2.png", "in.png"]


def test_one_bad_picture_does_not_stop_the_others(edit, capsys: pytest.CaptureFixture[str]):
    Path("bad.png").write_bytes(b"no picture at all")
    assert edit("bad.png", "in.png", "darker", "-o", "done/") == 1
    assert capsys.readouterr().err.startswith("mgie: bad.png: ")
    assert [path.name for path in Path("done").iterdir()] == ["in.png"]


# -- what is refused -----------------------------------------------------------------------------------------


def test_a_declined_edit_writes_nothing_and_has_a_code_of_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(SAMPLES / "hills.jpg", "hills.jpg")
    assert main(["edit", "hills.jpg", "add a dragon", "-o", "out.jpg", "--model", "mgie-mini"]) == 3
    out, err = capsys.readouterr()
    assert (out, Path("out.jpg").exists()) == ("", False)
    assert err == "mgie: mgie-mini declined: Nothing changes. On photos I can only change light and colour.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["in.png", " "], 2, "The instruction is empty"),
        (["in.png", "in.jpg"], 2, "the last argument says what to change"),
        (["https://example.org/a.png", "darker"], 2, "Download it first"),
        (["in.png", "mach es dunkler"], 1, "reads English only, so nothing was changed"),
        (["page.png", "darker"], 1, "not a PNG, JPEG, WebP, GIF, BMP, HEIC or AVIF picture (web page)."),
        (["note.png", "darker"], 1, "not a PNG, JPEG, WebP, GIF, BMP, HEIC or AVIF picture."),
        (["missing.png", "darker"], 1, "There is no file 'missing.png'."),
        (["missing*.png", "darker"], 1, "No file matches 'missing*.png'."),
        (["empty", "darker"], 1, "The folder 'empty' holds no pictures."),
        (["in.png", "darker", "-o", "out.tiff"], 2, "ends in none of .png"),
        (["in.png", "darker", "-o", "out"], 2, "with a slash at its end it is a folder"),
        (["in.png", "darker", "-o", "nowhere/out.png"], 1, "There is no folder 'nowhere'"),
        (["in.png", "in.jpg", "darker", "-o", "out.png"], 2, "2 pictures go to a folder"),
        (["in.png", "in.jpg", "darker", "-o", "-"], 2, "Only one picture can go to standard output"),
        (["in.png", "darker", "--steps", "0"], 1, "steps must be between 1 and 200"),
        (["in.png", "darker", "--model", "nothing"], 1, "No model 'nothing'"),
        (["in.png", "darker", "--device", "abacus"], 1, "The device 'abacus' is not here"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    folder: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    told: str,
):
    Path("empty").mkdir()
    Path("page.png").write_bytes(b"<!doctype html><p>no picture</p>")
    Path("note.png").write_bytes(b"no picture at all")
    monkeypatch.setenv("MGIE_MODEL", str(model))
    assert main(["edit", *arguments]) == code
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert line.startswith("mgie: ")
    assert told in line
