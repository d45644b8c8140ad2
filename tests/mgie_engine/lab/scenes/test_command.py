import json

import numpy as np
from PIL import Image

from mgie_engine.cli import main

NAMES = ("input", "goal", "mask")


def render(folder, count=4):
    return main(
        ["scenes", "render", "--seed", "7", "--count", str(count), "--size", "32", "--out", str(folder)]
    )


def test_render_writes_pictures_and_what_is_known_of_them(tmp_path, capsys):
    assert render(tmp_path) == 0
    assert "4 edits" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "scenes.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == ["0000", "0001", "0002", "0003"]
    assert lines[0].keys() == {"name", "instruction", "expressive", "kind", "facts", "turns"}
    for line in lines:
        assert all((tmp_path / f"{line['name']}_{part}.png").is_file() for part in NAMES)


def test_the_same_seed_writes_the_same_files(tmp_path, capsys):
    render(tmp_path / "one"), render(tmp_path / "two")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_the_mask_is_where_input_and_goal_differ(tmp_path, capsys):
    render(tmp_path, 1)
    before, goal, mask = (Image.open(tmp_path / f"0000_{part}.png") for part in NAMES)
    assert mask.mode == "L"
    assert set(mask.tobytes()) <= {0, 255}
    different = (np.asarray(before) != np.asarray(goal)).any(axis=-1)
    assert different[np.asarray(mask) > 0].all()
