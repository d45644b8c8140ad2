import json

import pytest
from PIL import Image

from mgie_engine.checkpoints import native
from mgie_engine.cli import main
from mgie_engine.lab.evaluation.scenes_command import KINDS
from mgie_engine.lab.evaluation.scenes_sheet import SIDE, ContactSheetCard, contact_sheet
from mgie_engine.lab.scenes.stories import story
from tests.support.tiny_serving import a_tiny_mgie

FLAGS = ("--device", "cpu", "--steps", "2", "--count", "3", "--chains", "1", "--threads", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    native.save(a_tiny_mgie(), place)
    return place


def evaluate(folder, *flags):
    return main(["evaluate", "scenes", "--model", str(folder), *FLAGS, *flags])


def test_a_model_is_measured_in_one_line_of_json(folder, capsys, tmp_path):
    assert evaluate(folder, "--seeds", "2", "--json", "--sheet", str(tmp_path / "sheet.png")) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["count"], report["seeds"], report["split"]) == (3, 2, "test")
    assert report["kinds"]["all"]["count"] == 3
    assert report["settings"]["steps"] == 2
    assert len(report["drift"]["delivered"]["db"]) == 10
    assert {"reading", "painting", "finishing", "all"} <= report["seconds"].keys()
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.width > 3 * 3 * SIDE


def test_instructions_that_people_typed_are_tried_as_well(folder, capsys):
    assert evaluate(folder, "--human-prompts", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["human_prompts"] == "seen"
    assert report["kinds"]["all"]["count"] == 3


def test_every_kind_that_is_told_can_be_asked_for():
    kinds = {step.edit.kind for seed in range(60) for step in story(seed, "test").steps}
    assert kinds == set(KINDS)


def test_people_get_a_table_and_edits_of_one_kind_can_be_asked_for(folder, capsys):
    assert evaluate(folder, "--split", "validation", "--kind", "resize") == 0
    out = capsys.readouterr().out
    assert out.startswith("kind")
    assert "unchanged area" in out
    assert set(KINDS) & {line.split()[0] for line in out.splitlines() if line} == {"resize"}


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (("--seeds", "0"), "whole number from 1"),
        (("--batch", "-1"), "whole number from 1"),
        (("--sheet", "sheet.foo"), "neither in .png nor in .jpg"),
        (("--sheet", "nowhere/sheet.png"), "no folder"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(folder, capsys, option, complaint):
    with pytest.raises(SystemExit):
        evaluate(folder, *option)
    assert complaint in capsys.readouterr().err


def test_a_sheet_has_three_edits_a_row():
    grey = Image.new("RGB", (8, 8), "grey")
    shot = ContactSheetCard(grey, grey, grey, "make it grey", "It turns grey.", True)
    assert contact_sheet([shot] * 4).height == 2 * contact_sheet([shot]).height
