"""The protocol: edits into a folder, figures out of it."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data.public_datasets import magicbrush
from mgie_engine.lab.evaluation.editors import EditorOutput
from mgie_engine.lab.evaluation.image_metrics import l1, l2, mean_by_group
from mgie_engine.lab.evaluation.scoring import make_edits, score_cases
from mgie_engine.lab.evaluation.suites import MULTI, SINGLE, FileCase, magicbrush_cases, pair_cases
from tests.support.data_layouts import magicbrush_folder

# Shades of grey: input, goals. The editor below makes everything ten shades lighter.
SHADES = {"77": (50, 60, 75, 100), "5": (0, 5)}


class TenLighter:
    """Makes pictures ten shades lighter; remembers what it was told; is killed after `lives` edits."""

    def __init__(self, lives: int = 1000, knob: int = 1) -> None:
        self.params = {"editor": "lighter", "knob": knob}
        self.lives = lives
        self.talks = list[tuple[str, tuple[Exchange, ...]]]()

    def edit(self, picture: Image.Image, instruction: str, history: Sequence[Exchange]) -> EditorOutput:
        if len(self.talks) == self.lives:
            raise KeyboardInterrupt
        self.talks.append((instruction, tuple(history)))
        return EditorOutput(picture.point(lambda value: value + 10), f"lighter by {instruction}")


@pytest.fixture
def cases(tmp_path: Path) -> list[FileCase]:
    """A session of three turns, and one of a single turn."""
    folder = magicbrush_folder(tmp_path / "brush")
    for image, shades in SHADES.items():
        names = ["input", *(f"output{n}" for n in range(1, len(shades)))]
        for name, shade in zip(names, shades, strict=True):
            grey = Image.new("RGB", (20, 20), (shade,) * 3)
            grey.save(folder / "images" / image / f"{image}-{name}.png")
    return list(magicbrush_cases(folder))


def test_edits_have_the_names_of_the_public_script(cases: list[FileCase]):
    assert [case.name for case in cases] == [
        "77/77_1", "77/77_inde_2", "77/77_inde_3", "77/77_iter_2", "77/77_iter_3", "5/5_1",
    ]  # fmt: skip


def test_the_protocol_gives_the_known_answer(cases: list[FileCase], tmp_path: Path):
    make_edits(cases, TenLighter(), tmp_path / "edits")
    judged = score_cases(cases, tmp_path / "edits", {"l1": l1, "l2": l2})
    means = mean_by_group([(one.case.groups, one.row.values) for one in judged])
    # single-turn 60-60, 70-75, 85-100, 10-5; multi-turn 80-100, 10-5
    single, multi = (0, 5, 15, 5), (20, 5)
    for group, errors in ((SINGLE, single), (MULTI, multi)):
        assert means[group]["cases"] == len(errors)
        assert means[group]["l1"] == pytest.approx(sum(e / 255 for e in errors) / len(errors))
        assert means[group]["l2"] == pytest.approx(sum((e / 255) ** 2 for e in errors) / len(errors))


def test_in_multi_turn_the_editor_knows_the_talk(cases: list[FileCase], tmp_path: Path):
    editor = TenLighter()
    make_edits(cases, editor, tmp_path / "edits")
    talk = (Exchange("turn 1", "lighter by turn 1"), Exchange("turn 2", "lighter by turn 2"))
    assert [talk_ for asked, talk_ in editor.talks if asked == "turn 3"] == [(), talk]


def test_work_that_was_stopped_goes_on(cases: list[FileCase], tmp_path: Path):
    make_edits(cases, TenLighter(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        make_edits(cases, TenLighter(lives=4), tmp_path / "twice")
    second = TenLighter()
    make_edits(cases, second, tmp_path / "twice")
    assert len(second.talks) == 2
    for case in cases:
        name = case.name + ".png"
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_a_folder_holds_the_edits_of_one_editor(cases: list[FileCase], tmp_path: Path):
    make_edits(cases, TenLighter(), tmp_path)
    with pytest.raises(DataError, match="was begun with"):
        make_edits(cases, TenLighter(knob=2), tmp_path)


def test_edits_made_elsewhere_need_only_what_is_judged(cases: list[FileCase], tmp_path: Path):
    for name in ("77/77_1", "77/77_inde_2", "77/77_inde_3", "77/77_iter_3", "5/5_1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (20, 20)).save(tmp_path / f"{name}.jpg")
    assert len(score_cases(cases, tmp_path, {"l1": l1})) == 5


def test_missing_edits_are_named(cases: list[FileCase], tmp_path: Path):
    with pytest.raises(DataError, match=r"lacks 5 edits, the first is 77/77_1\.png"):
        score_cases(cases, tmp_path, {})


def test_a_name_that_leads_outside_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="leads out"):
        score_cases([FileCase("../x", "do", b"", b"")], tmp_path, {})


def test_examples_are_cases_by_themselves(tmp_path: Path):
    cases = list(pair_cases(magicbrush(magicbrush_folder(tmp_path))))
    assert [case.name for case in cases] == ["77-output1", "77-output2", "77-output3", "5-output1"]
    assert {case.groups for case in cases} == {("all",)}
    assert cases[1].history == (Exchange("turn 1", ""),)


def test_only_the_first_sessions_may_be_wanted(tmp_path: Path):
    folder = magicbrush_folder(tmp_path)
    assert json.loads((folder / "edit_sessions.json").read_text()).keys() == {"77", "5"}
    assert {case.name.split("/")[0] for case in magicbrush_cases(folder, limit=1)} == {"77"}
