"""Public layouts, read."""

import json
from pathlib import Path

import pytest

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data.public_datasets import examples_of, magicbrush, pix2pix
from tests.support.data_layouts import magicbrush_folder, pix2pix_folder


def test_pairs_are_named_as_the_release_names_them(tmp_path: Path):
    found = list(pix2pix(pix2pix_folder(tmp_path)))
    assert [e.id for e in found] == ["0000100_700_0", "0000100_701_0", "0000101_700_0", "0000101_701_0"]
    assert found[0].instruction == "make it red"
    assert found[0].caption == "a red thing"
    assert found[0].before == tmp_path / "0000100" / "700_0.jpg"
    assert found[0].after == tmp_path / "0000100" / "700_1.jpg"


def test_a_list_of_filtered_pairs_is_followed_in_its_order(tmp_path: Path):
    pix2pix_folder(tmp_path)
    (tmp_path / "seeds.json").write_text(json.dumps([["0000101", [701]], ["0000100", [700]]]))
    assert [e.id for e in pix2pix(tmp_path)] == ["0000101_701_0", "0000100_700_0"]


def test_folders_may_be_nested(tmp_path: Path):
    pix2pix_folder(tmp_path / "shard-00", prompts=1, pairs=1)
    pix2pix_folder(tmp_path / "shard-01", prompts=1, pairs=1)
    assert [e.id for e in pix2pix(tmp_path)] == ["0000100_700_0"] * 2


def test_turns_of_a_session_start_at_the_goal_of_the_turn_before(tmp_path: Path):
    first, second, third, alone = magicbrush(magicbrush_folder(tmp_path))
    assert [e.id for e in (first, third, alone)] == ["77-output1", "77-output3", "5-output1"]
    assert second.before == first.after
    assert third.history == (Exchange("turn 1", ""), Exchange("turn 2", ""))
    assert second.caption == "a picture called 77-output2.png"
    assert (third.session, alone.history) == ("77", ())


def test_without_sessions_every_turn_stands_alone(tmp_path: Path):
    magicbrush_folder(tmp_path)
    sessions = json.loads((tmp_path / "edit_sessions.json").read_text())
    (tmp_path / "edit_turns.json").write_text(json.dumps([t for turns in sessions.values() for t in turns]))
    (tmp_path / "edit_sessions.json").unlink()
    assert {e.history for e in magicbrush(tmp_path)} == {()}


def test_a_folders_layout_is_found_by_its_files(tmp_path: Path):
    assert next(examples_of(magicbrush_folder(tmp_path / "brush"))).session == "77"
    assert next(examples_of(pix2pix_folder(tmp_path / "pix"))).session == ""


def break_goal(folder: Path) -> None:
    (folder / "0000100" / "700_1.jpg").unlink()


def break_prompt(folder: Path) -> None:
    (folder / "0000100" / "prompt.json").write_text("{")


def lead_outside(folder: Path) -> None:
    (folder / "seeds.json").write_text('[["../..", [1]]]')


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [(break_goal, "700_1.jpg is missing"), (break_prompt, "cannot be read"), (lead_outside, "leads out of")],
)
def test_damage_is_named(tmp_path: Path, damage, sentence: str):
    damage(pix2pix_folder(tmp_path / "data"))
    with pytest.raises(DataError, match=sentence):
        list(pix2pix(tmp_path / "data"))


def test_an_empty_folder_is_no_data(tmp_path: Path):
    with pytest.raises(DataError, match=r"holds no prompt\.json"):
        list(examples_of(tmp_path))
