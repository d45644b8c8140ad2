"""Layers of overrides: call > session > person > channel > bot."""

import pytest

from conversations.errors import SettingsRefused
from conversations.settings import NO_OVERRIDE, EditSettings, SettingsOverride, checked, origins, resolve

BOT = EditSettings(text_cfg=7.5, image_cfg=1.5, steps=50, seed=1, sampler="euler_ancestral")


def test_without_overrides_the_bots_own_settings_hold() -> None:
    assert resolve(BOT) == BOT


def test_the_nearer_layer_wins_setting_by_setting() -> None:
    settings = resolve(
        BOT,
        SettingsOverride(seed=5),
        SettingsOverride(seed=4, steps=40),
        SettingsOverride(steps=30, image_cfg=3.0),
        SettingsOverride(image_cfg=2.0, text_cfg=2.0, sampler="dpmpp_2m"),
    )
    assert settings == EditSettings(
        text_cfg=2.0, image_cfg=3.0, steps=40, seed=5, sampler="dpmpp_2m", degree=0.4
    )


def test_zero_is_an_override() -> None:
    settings = resolve(BOT, SettingsOverride(image_cfg=0.0, seed=0))
    assert (settings.image_cfg, settings.seed) == (0.0, 0)


def test_each_setting_can_say_where_it_comes_from() -> None:
    origin_of = origins({"call": SettingsOverride(seed=5), "channel": SettingsOverride(seed=1, steps=20)})
    assert (origin_of["seed"], origin_of["steps"], origin_of["text_cfg"]) == ("call", "channel", "bot")


def test_an_override_lies_over_another() -> None:
    assert SettingsOverride(seed=1).merged_over(SettingsOverride(seed=2, steps=3)) == SettingsOverride(
        seed=1, steps=3
    )


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (SettingsOverride(text_cfg=0.5), "text_cfg must be between 1 and 20, not 0.5"),
        (SettingsOverride(image_cfg=5.1), "image_cfg must be between 0 and 5, not 5.1"),
        (SettingsOverride(steps=0), "steps must be between 1 and 200, not 0"),
        (SettingsOverride(seed=2**32), "seed must be between 0 and 4294967295, not 4294967296"),
        (SettingsOverride(text_cfg=float("nan")), "text_cfg must be between 1 and 20, not nan"),
        (SettingsOverride(sampler="ddim"), "sampler must be one of euler_ancestral, dpmpp_2m, not ddim"),  # type: ignore[arg-type]
    ],
)
def test_a_value_out_of_range_is_refused_and_not_clamped(override: SettingsOverride, sentence: str) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        checked(override)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "override", [NO_OVERRIDE, SettingsOverride(text_cfg=20, image_cfg=0, steps=200, seed=2**32 - 1)]
)
def test_the_ends_of_a_range_belong_to_it(override: SettingsOverride) -> None:
    assert checked(override) == override


def test_auto_is_an_override_that_nearer_numbers_beat() -> None:
    override = SettingsOverride(text_cfg=9.0).merged_over(SettingsOverride(text_cfg="auto", image_cfg="auto"))
    assert (override.text_cfg, override.auto_scales) == (9.0, ("image_cfg",))


def test_auto_becomes_the_advice_and_the_rest_stays() -> None:
    override = SettingsOverride(text_cfg="auto", image_cfg=2.0, seed=5)
    assert override.with_guidance(3.0, 1.2) == SettingsOverride(text_cfg=3.0, image_cfg=2.0, seed=5)


def test_until_there_is_advice_the_bots_own_number_stands_for_auto() -> None:
    assert resolve(BOT, SettingsOverride(text_cfg="auto")).text_cfg == BOT.text_cfg


def test_auto_is_in_range_and_no_other_word_is() -> None:
    override = SettingsOverride(text_cfg="auto", image_cfg="auto")
    assert checked(override) == override


@pytest.mark.parametrize(
    ("override", "degree"),
    [
        (NO_OVERRIDE, 1.0),
        (SettingsOverride(text_cfg="auto", image_cfg="auto"), 1.0),
        (SettingsOverride(text_cfg=9.0, image_cfg=1.2), 1.5),
        (SettingsOverride(text_cfg=6.0, image_cfg=2.0), 0.6),
        (SettingsOverride(text_cfg=20, image_cfg=0.1), 2.5),
        (SettingsOverride(image_cfg=0.0), 1.0),
        (SettingsOverride(text_cfg=20, degree=1.4), 1.4),
    ],
)
def test_guidance_scales_stand_for_a_degree_that_an_override_beats(override, degree) -> None:
    assert resolve(BOT, override).degree == degree
