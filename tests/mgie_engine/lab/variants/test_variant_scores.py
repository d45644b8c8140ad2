import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from xml.etree import ElementTree

import pytest

from mgie_engine.cli import main
from mgie_engine.errors import DataError
from mgie_engine.lab.evaluation.results import Results, TrialConfig
from mgie_engine.lab.variants.variants_report import summarise, to_markdown, to_svg

TRAINING = {"steps": 800, "batch_size": 768, "edits": 100_000}
SETTINGS = {"steps": 12, "sampler": "dpmpp_2m", "text_cfg": 2.0, "image_cfg": 1.2}


def an_edit(kind, success):
    return {"kind": kind, "success": success, "resolved": success > 0.5, "true": 3, "stated": 4}


def a_result(title, ambiguous, *, speaks=True):
    """Every second edit of two kinds succeeds; of the ambiguous ones, those given."""
    sets = {
        "all": [an_edit(kind, float(place % 2)) for place, kind in enumerate(["add", "add", "move", "move"])],
        "ambiguous": [an_edit("ambiguous", success) for success in ambiguous],
    }
    return {"title": title, "speaks": speaks, "settings": SETTINGS, "sets": sets}


RESULTS = {
    "mgie": a_result("MGIE", [1.0, 1.0, 1.0, 0.0]),
    "lgie": a_result("LGIE", [0.0, 0.0, 1.0, 0.0]),
    "instruct-pix2pix": a_result("Pix2Pix & co", [0.0] * 4, speaks=False),
}
FOUND = {"training": TRAINING, "trial": asdict(TrialConfig()), "variants": RESULTS}


def test_variants_are_compared_edit_by_edit():
    whole, blind, _ = summarise(RESULTS)
    assert whole.behind is None
    assert blind.behind
    assert blind.behind.mean == -0.5
    assert blind.success["ambiguous"].mean == 0.25
    assert blind.success["all"].mean == 0.5


def test_who_says_nothing_is_not_judged_by_words():
    silent = summarise(RESULTS)[-1]
    assert (silent.resolved, silent.facts) == (None, None)


def test_the_table_says_how_it_came_about():
    told = to_markdown(FOUND)
    assert "800 steps of 768 edits" in told
    assert "| LGIE | 50.0% (0.0%–100.0%) | 25.0% (0.0%–75.0%) | -50.0 (-100.0 … +0.0) " in told
    assert "| success by kind (edits) | add (2) | move (2) |" in told


def test_the_plot_has_a_dot_per_variant_and_set():
    svg = ElementTree.fromstring(to_svg(FOUND))
    assert any(text.text == "Pix2Pix & co" for text in svg.iter("{http://www.w3.org/2000/svg}text"))


def test_results_are_added_one_by_one(tmp_path):
    results = Results(tmp_path / "results.json", TRAINING, TrialConfig())
    for name, result in RESULTS.items():
        results.add(name, result)
    assert results.read() == RESULTS


def test_results_of_several_writers_are_all_kept_in_one_order(tmp_path):
    results = Results(tmp_path / "results.json", TRAINING, TrialConfig(), list(RESULTS))
    copies = tmp_path / "copies"
    copies.mkdir()
    with ThreadPoolExecutor(4) as writers:
        list(
            writers.map(
                lambda name: results.add(name, RESULTS.get(name, {}), copies), ["x", *reversed(RESULTS)]
            )
        )
    assert list(results.read()) == [*RESULTS, "x"]
    assert (copies / "results.json").read_text() == results.file.read_text()


def test_training_and_trials_need_no_picture_files_no_database_and_no_chat():
    needless = {"pillow_heif", "sqlite_utils", "discord", "aiohttp"}
    code = (
        "import sys, mgie_engine.lab.variants.variant_config, mgie_engine.lab.variants.variant_scores\n"
        f"print(*{needless} & sys.modules.keys())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert told.stdout == b"\n"


@pytest.mark.parametrize("other", [{"training": {}}, {"trial": TrialConfig(seeds=7)}])
def test_results_of_something_else_are_refused(tmp_path, other):
    results = Results(tmp_path / "results.json", TRAINING, TrialConfig())
    results.add("mgie", RESULTS["mgie"])
    kept = {"file": results.file, "training": TRAINING, "trial": TrialConfig()}
    with pytest.raises(DataError, match="of another"):
        Results(**kept | other).read()


def test_the_table_goes_to_a_page_from_results_alone(tmp_path, capsys):
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("# Ours\n<!-- variants: begin -->\nold\n<!-- variants: end -->\nours too\n")
    (tmp_path / "results.json").write_text(json.dumps(FOUND))
    assert main(["evaluate", "variants", str(tmp_path), "--docs", str(page)]) == 0
    assert "| LGIE |" in capsys.readouterr().out
    assert "| LGIE |" in page.read_text()
    assert "old" not in page.read_text()
    assert (tmp_path / "docs" / "images" / "variants.svg").is_file()


def test_an_empty_folder_is_refused(tmp_path, capsys):
    assert main(["evaluate", "variants", str(tmp_path)]) == 1
    assert "neither variants nor results.json" in capsys.readouterr().err


def test_a_file_that_is_no_results_is_refused(tmp_path, capsys):
    (tmp_path / "results.json").write_text("[]")
    assert main(["evaluate", "variants", str(tmp_path)]) == 1
    assert "holds no results" in capsys.readouterr().err
