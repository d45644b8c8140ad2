"""`mgie data` from the command line."""

from pathlib import Path

import pytest

from mgie_engine.cli import main
from mgie_engine.lab.data import shards
from tests.support.data_layouts import magicbrush_folder, pix2pix_folder
from tests.support.tiny_data import llava_folder, t5_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs in pairs/, sessions in brush/, models in llava/ and t5/."""
    folder = tmp_path_factory.mktemp("data")
    pix2pix_folder(folder / "pairs")
    magicbrush_folder(folder / "brush")
    llava_folder(folder / "llava")
    t5_folder(folder / "t5")
    return folder


def data(*arguments: object) -> int:
    return main(["data", *map(str, arguments)])


def models(folder: Path) -> list[object]:
    return ["--llava", folder / "llava", "--summariser", folder / "t5", "--device", "cpu"]


def test_data_goes_from_folders_to_the_release_and_back(folder: Path, tmp_path: Path):
    assert data("prepare", folder / "pairs", tmp_path / "prepared", *models(folder), "--shard-size", 3) == 0
    prepared = list(shards.read_examples(tmp_path / "prepared"))
    assert len(prepared) == 4
    assert all(example.expressive for example in prepared)
    assert data("export", tmp_path / "prepared", tmp_path / "release") == 0
    assert data("import", "release", tmp_path / "release", tmp_path / "again") == 0
    assert [e.expressive for e in shards.read_examples(tmp_path / "again")] == [
        e.expressive for e in prepared
    ]
    assert data("export", tmp_path / "again", tmp_path / "second", "--as-is") == 0
    for file in (tmp_path / "release").iterdir():
        assert (tmp_path / "second" / file.name).read_bytes() == file.read_bytes()


def test_preparing_twice_writes_once(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for kept in (0, 4):
        assert data("prepare", folder / "pairs", tmp_path, *models(folder), "--shard-size", 2) == 0
        assert f"4 examples in 2 shards, {kept} were there" in capsys.readouterr().out


def test_sessions_are_imported_then_prepared(folder: Path, tmp_path: Path):
    assert data("import", "magicbrush", folder / "brush", tmp_path / "imported") == 0
    assert [e.expressive for e in shards.read_examples(tmp_path / "imported")] == [""] * 4
    assert data("prepare", tmp_path / "imported", tmp_path / "prepared", *models(folder)) == 0
    first, _, third, _ = shards.read_examples(tmp_path / "prepared")
    assert third.history[0].expressive == first.expressive != ""


def test_what_cannot_be_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert data("import", "ipr2pr", tmp_path / "nothing", tmp_path / "out") == 1
    assert "There is no folder" in capsys.readouterr().err
    assert data("export", folder / "pairs", tmp_path / "out") == 1
    assert "0000100_700_0 has no expressive instruction yet" in capsys.readouterr().err
