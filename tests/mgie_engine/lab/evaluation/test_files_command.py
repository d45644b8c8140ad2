"""`mgie evaluate files` from the command line."""

import json
from pathlib import Path

import pytest
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.lab.evaluation.editors import pix2pix_size
from tests.support import tiny_evaluation
from tests.support.data_layouts import COLOURS, draw, magicbrush_folder, pix2pix_folder
from tests.support.tiny_serving import a_tiny_mgie

# The scheduler of diffusers 0.42 makes an array of a tensor in a way that numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data in pairs/ and brush/, models in model/, plain/ and clip/."""
    folder = tmp_path_factory.mktemp("evaluate")
    pix2pix_folder(folder / "pairs", prompts=1, pairs=2)
    magicbrush_folder(folder / "brush", turns=2)
    native.save(a_tiny_mgie(), folder / "model")
    tiny_evaluation.pix2pix_folder(folder / "plain")
    tiny_evaluation.clip_folder(folder / "clip")
    return folder


def evaluate(source: Path, output: Path, *more: str) -> int:
    return main(["evaluate", "files", str(source), "-o", str(output), "--device", "cpu", *more])


def read_report(output: Path) -> dict:
    return json.loads((output / "report.json").read_text())


def test_our_engine_is_measured(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    more = ["--model", str(folder / "model"), "--steps", "1", "--clip", str(folder / "clip")]
    assert evaluate(folder / "pairs", tmp_path, *more, "--metrics", "l1", "ssim", "cts") == 0
    report = read_report(tmp_path)
    assert (report["params"]["editor"], report["params"]["seed"], report["params"]["steps"]) == (
        "mgie-tiny",
        0,
        1,
    )
    assert report["means"]["all"]["cases"] == 2
    assert 0 <= report["means"]["all"]["l1"] <= 1
    assert "| all | 2 |" in capsys.readouterr().out
    assert (tmp_path / "report.md").is_file()
    assert (tmp_path / "report.html").read_text().count("data:image/webp") == 6
    with Image.open(tmp_path / "edits" / "0000100_700_0.png") as edit:
        assert edit.size == (40, 32)


def test_plain_pix2pix_is_measured(folder: Path, tmp_path: Path):
    more = ["--pix2pix", str(folder / "plain"), "--steps", "1", "--limit", "1", "--metrics", "l1", "l2"]
    assert evaluate(folder / "brush", tmp_path, *more, "--suite", "magicbrush") == 0
    assert read_report(tmp_path)["means"].keys() == {"single-turn", "multi-turn"}
    assert sorted(file.name for file in (tmp_path / "edits" / "77").iterdir()) == [
        "77_1.png",
        "77_inde_2.png",
        "77_iter_2.png",
    ]


def test_edits_made_elsewhere_are_judged(folder: Path, tmp_path: Path):
    for number, name in enumerate(("0000100_700_0", "0000100_701_0")):
        draw(tmp_path / f"{name}.png", COLOURS[number])
    assert evaluate(folder / "pairs", tmp_path / "out", "--edits", str(tmp_path), "--metrics", "l1") == 0
    values = [case["values"]["l1"] for case in read_report(tmp_path / "out")["cases"]]
    assert values[0] < 0.03 < values[1]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--edits", "nowhere", "--metrics", "l1"], "lacks 2 edits"),
        (["--metrics", "lpips"], "alexnet-owt-7be5be79.pth"),
        (["--metrics", "dino", "--dino", "/nowhere"], "The metric's model '/nowhere' is no folder"),
        (["--pix2pix", "/nowhere", "--metrics", "l1"], "InstructPix2Pix '/nowhere' is no folder"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
):
    assert evaluate(folder / "pairs", tmp_path, *more) == 1
    assert sentence in capsys.readouterr().err


def test_a_missing_source_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert evaluate(tmp_path / "nothing", tmp_path) == 1
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("size", "expected"), [((1024, 1024), (512, 512)), ((640, 480), (512, 384)), ((500, 333), (576, 384))]
)
def test_pix2pix_works_at_the_sizes_of_its_own_script(size: tuple[int, int], expected: tuple[int, int]):
    assert pix2pix_size(size) == expected
