"""The release's data files."""

import base64
import io
import json
import pickle
from pathlib import Path

import pytest
from PIL import Image

from mgie_engine.errors import DataError
from mgie_engine.lab.data import release
from mgie_engine.lab.data.examples import EditExample, opened
from mgie_engine.lab.data.public_datasets import pix2pix
from tests.support.data_layouts import draw, pix2pix_folder


@pytest.fixture
def source(tmp_path: Path) -> list[EditExample]:
    """Two examples whose ids and texts are awkward."""
    red, blue = draw(tmp_path / "red.png", "red"), draw(tmp_path / "blue.png", "blue")
    return [
        EditExample("000_0132_7_0", "make it blue", red, blue, "It is blue."),
        EditExample("0000145_9_0", "“naïve”", blue, red, "Ça va."),
    ]


def published_jpeg(picture: Image.Image) -> str:
    """A picture as the published notebook writes it."""
    file = io.BytesIO()
    picture.save(file, format="JPEG")
    return base64.b64encode(file.getvalue()).decode()


def test_files_are_what_the_published_notebook_writes(tmp_path: Path, source: list[EditExample]):
    assert release.write_release(tmp_path, "ipr2pr", source) == 2
    lines = [published_jpeg(opened(e.before)) + "\t" + published_jpeg(opened(e.after)) for e in source]
    assert (tmp_path / "ipr2pr.tsv").read_text() == "".join(line + "\n" for line in lines)
    tasks = pickle.loads((tmp_path / "ipr2pr.pkl").read_bytes())
    assert tasks == {
        "task": [
            [
                {
                    "input": "000_0132_7_0",
                    "answer": "000_1132_7_1",  # every _0, as there
                    "instruction": "make it blue",
                    "lineidx": 0,
                }
            ],
            [
                {
                    "input": "0000145_9_0",
                    "answer": "0000145_9_1",
                    "instruction": "“naïve”",
                    "lineidx": len(lines[0]) + 1,
                }
            ],
        ]
    }
    said = {"instruction": "“naïve”", "expressive": "Ça va."}
    assert json.loads((tmp_path / "ipr2pr_expressive.json").read_text())["0000145_9_0"] == said


def test_a_round_trip_changes_nothing(tmp_path: Path, source: list[EditExample]):
    release.write_release(tmp_path / "a", "x", source)
    release.write_release(tmp_path / "b", "x", release.read_release(tmp_path / "a", "x"), as_is=True)
    for name in ("x.pkl", "x.tsv", "x_expressive.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_jpegs_are_encoded_again_unless_kept(tmp_path: Path):
    (example,) = pix2pix(pix2pix_folder(tmp_path / "in", prompts=1, pairs=1))
    assert isinstance(example.before, Path)
    opened(example.before).save(example.before, quality=98)
    for name, as_is in (("kept", True), ("again", False)):
        release.write_release(tmp_path, name, [example], as_is=as_is)
    (kept,), (again,) = (list(release.read_release(tmp_path, name)) for name in ("kept", "again"))
    assert kept.before == example.before.read_bytes() != again.before


class Dangerous:
    """Would make a file if it was unpickled by the ordinary unpickler."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_nothing_in_a_strangers_pickle_is_run(tmp_path: Path, source: list[EditExample]):
    release.write_release(tmp_path, "x", source)
    trap = tmp_path / "trap"
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"task": [Dangerous(trap)]}))
    with pytest.raises(DataError, match="not safe to read"):
        list(release.read_release(tmp_path, "x"))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.pkl", b"\x80\x04garbage", "damaged or not safe"),
        ("x.pkl", pickle.dumps([]), 'no list called "task"'),
        ("x.pkl", pickle.dumps({"task": [["a"]]}), "Entry 0"),
        ("x_expressive.json", b"{}", "Entry 0"),
        ("x.tsv", b"no pictures\n", "Entry 0"),
        ("x.tsv", b"!\t!\n", "Entry 0"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, source, name: str, content: bytes, sentence: str):
    release.write_release(tmp_path, "x", source)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        list(release.read_release(tmp_path, "x"))
