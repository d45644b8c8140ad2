"""Named strengths, how complex pictures and words are, and advice from a table. Nothing here knows torch."""

import sys
from dataclasses import replace
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from PIL import Image

from conversations.messages import Message
from conversations.settings import SettingsOverride, checked
from mgie_engine.config import BUNDLED, Defaults, ModelConfig
from mgie_engine.errors import ModelError
from mgie_engine.strengths import (
    NO_BETTER,
    NOT_STUDIED,
    TABLE,
    Kind,
    PictureComplexity,
    Pictures,
    Preset,
    StrengthRule,
    StrengthTable,
    advise,
    advise_on_png,
    fingerprint,
    fits_model,
    instruction_traits,
    measure_complexity,
    preset_override,
    read_table,
)
from tests.support.fakes import a_picture

OWN, PAIR = Defaults(text_cfg=2.0, image_cfg=1.2), (2.0, 1.2)
SIMPLE, BUSY = PictureComplexity(0.01, 2.0), PictureComplexity(0.2, 5.0)
GAIN = (0.1, 0.05, 0.15)
TABLE_OF_TWO = StrengthTable(
    "test",
    0.1,
    (2.0, 1.2),
    (
        StrengthRule(Kind.ADD, Pictures.BUSY, 4.0, 1.0, GAIN, 20),
        StrengthRule(Kind.ADD, Pictures.ANY, 3.0, 1.2, GAIN, 40),
    ),
)


# --- presets ---


@pytest.mark.parametrize(
    ("preset", "override"),
    [
        (Preset.AUTO, SettingsOverride(text_cfg="auto", image_cfg="auto")),
        (Preset.FAITHFUL, SettingsOverride(text_cfg=6.0, image_cfg=2.0)),
        (Preset.BALANCED, SettingsOverride(text_cfg=7.5, image_cfg=1.5)),
        (Preset.BOLD, SettingsOverride(text_cfg=9.0, image_cfg=1.2)),
        (Preset.CLASSIC, SettingsOverride(text_cfg=7.5, image_cfg=1.5)),
        (Preset.MAGIX, SettingsOverride(text_cfg=7.0, image_cfg=2.0, seed=13331)),
        (Preset.MAGIX_VIVID, SettingsOverride(text_cfg=8.5, image_cfg=0.7, seed=13331)),
    ],
)
def test_the_published_model_has_the_published_numbers(preset, override):
    assert preset_override(preset, Defaults()) == override


def test_another_model_leans_on_its_own_numbers():
    assert preset_override(Preset.FAITHFUL, OWN) == SettingsOverride(text_cfg=1.6, image_cfg=1.6)


def test_the_picture_never_pushes_the_other_way_by_a_preset_that_leans():
    assert preset_override(Preset.BOLD, OWN).image_cfg == 1.0


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("own", [Defaults(text_cfg=1, image_cfg=0), Defaults(text_cfg=20, image_cfg=5)])
def test_every_preset_of_every_model_is_in_range(preset, own):
    checked(preset_override(preset, own))


# --- looking and listening ---


def test_noise_is_more_complex_than_one_colour():
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    flat, loud = (
        measure_complexity(Image.new("RGB", (300, 200), "teal")),
        measure_complexity(Image.fromarray(noise)),
    )
    assert (flat.texture, flat.entropy) == (0.0, 0.0)
    assert loud.texture > 0.02
    assert loud.entropy > 3


def test_size_does_not_count():
    stripes = Image.new("L", (256, 256))
    stripes.paste(255, (0, 0, 128, 256))
    large = stripes.resize((1024, 1024), Image.Resampling.NEAREST)
    assert measure_complexity(stripes).texture == pytest.approx(measure_complexity(large).texture, rel=0.02)


@pytest.mark.parametrize(
    ("instruction", "kind"),
    [
        ("make everything a bit darker", Kind.TONE),
        ("let it snow", Kind.SCENERY),
        ("get rid of the tree", Kind.REMOVE),
        ("replace the ball with a cone", Kind.REPLACE),
        ("add a red balloon in the sky", Kind.ADD),
        ("move the car to the left", Kind.MOVE),
        ("a larger house, please", Kind.RESIZE),
        ("the roof should be blue", Kind.COLOUR),
        ("hm", Kind.OTHER),
    ],
)
def test_the_words_tell_what_is_wished(instruction, kind):
    assert instruction_traits(instruction).kind is kind


def test_words_and_constraints_are_counted():
    said = instruction_traits("make the small red ball on the left blue, and keep the rest")
    assert (said.words, said.constraints) == (13, 7)


# --- advice ---


def test_the_most_special_rule_wins():
    busy = advise(BUSY, "add a tree", TABLE_OF_TWO, PAIR)
    simple = advise(SIMPLE, "add a tree", TABLE_OF_TWO, PAIR)
    assert (busy.text_cfg, busy.image_cfg, simple.text_cfg, simple.image_cfg) == (4.0, 1.0, 3.0, 1.2)
    assert busy.reason == (Message("auto_add"), Message("auto_busy"))
    assert simple.reason == (Message("auto_add"),)


def test_a_rule_for_every_instruction_fits_every_instruction():
    table = replace(TABLE_OF_TWO, rules=(StrengthRule(None, Pictures.ANY, 5.0, 1.0, GAIN, 9),))
    assert advise(SIMPLE, "whatever", table, PAIR).text_cfg == 5.0


def test_where_nothing_did_better_the_models_own_strengths_stay():
    advice = advise(SIMPLE, "remove the tree", TABLE_OF_TWO, PAIR)
    assert (advice.text_cfg, advice.image_cfg, advice.reason) == (2.0, 1.2, (NO_BETTER,))


def test_a_model_nobody_has_studied_says_so():
    advice = advise_on_png(a_picture(), "add a tree", None, (7.5, 1.5))
    assert (advice.text_cfg, advice.image_cfg, advice.reason) == (7.5, 1.5, (NOT_STUDIED,))


def a_model(folder: Path, weights: bytes = b"weights") -> Path:
    """A folder with weights and the table that was made of them."""
    (folder / "model-00001.safetensors").write_bytes(weights)
    table = replace(TABLE_OF_TWO, weights=fingerprint(folder))
    (folder / TABLE).write_text(table.to_json())
    return folder


def test_a_table_survives_its_file(tmp_path):
    table = read_table(a_model(tmp_path))
    assert table == replace(TABLE_OF_TWO, weights=fingerprint(tmp_path))


@pytest.mark.parametrize("size", [10, 3 * 2**20], ids=["small", "large"])
def test_a_table_of_other_weights_is_not_followed(tmp_path, size):
    a_model(tmp_path, bytes(size))
    (tmp_path / "model-00001.safetensors").write_bytes(bytes(size - 1) + b"x")
    assert read_table(tmp_path) is None


def test_a_folder_without_a_table_has_none(tmp_path):
    assert read_table(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "[]",
        "{}",
        TABLE_OF_TWO.to_json().replace('"add"', '"sing"'),
        TABLE_OF_TWO.to_json().replace("4.0", "99"),
        TABLE_OF_TWO.to_json().replace("4.0", '"a"'),
    ],
)
def test_a_broken_table_is_an_error_that_names_the_file(text):
    with pytest.raises(ModelError, match=r"strengths\.json"):
        StrengthTable.from_json(text)


def test_the_bundled_table_is_of_the_bundled_model_as_it_is_set():
    table = read_table(BUNDLED / "mgie-mini")
    if table is not None:
        config = ModelConfig.from_json((BUNDLED / "mgie-mini" / "config.json").read_text("utf-8"))
        assert table.model == config.name
        assert table.own == (config.defaults.text_cfg, config.defaults.image_cfg)


def test_advice_needs_no_torch():
    code = "import sys, mgie_engine.strengths; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_published_pairs_suit_only_models_with_those_defaults() -> None:
    mini = Defaults(text_cfg=1.5, image_cfg=1.0)
    assert [preset for preset in Preset if not fits_model(preset, mini)] == [
        Preset.CLASSIC,
        Preset.MAGIX,
        Preset.MAGIX_VIVID,
    ]
    assert all(fits_model(preset, Defaults()) for preset in Preset)
