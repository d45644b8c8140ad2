import pytest

from mgie_engine.errors import ModelError
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.variants.variant import Variant, variants

RECIPE = Recipe.read("variants")


def test_the_recipe_has_the_papers_baselines_and_settings():
    found = {variant.name: variant for variant in variants(RECIPE)}
    assert [name for name, variant in found.items() if not variant.sees] == ["lgie"]
    assert [name for name, variant in found.items() if not variant.speaks] == ["instruct-pix2pix"]
    assert found["mgie-frozen"].taught_by == ()
    assert {variant.visual_tokens for variant in found.values()} == {1, 4, 8}


def test_some_can_be_chosen():
    assert [variant.name for variant in variants(RECIPE, ["lgie", "mgie"])] == ["mgie", "lgie"]


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match="no variant 'mgei'; there are mgie, lgie"):
        variants(RECIPE, ["mgei"])


def test_a_loss_that_does_not_exist_is_refused():
    with pytest.raises(ModelError, match="'colour', which is no loss"):
        Variant.of("odd", {"title": "Odd", "taught_by": ["colour"]})


def test_a_key_that_is_missing_is_refused():
    with pytest.raises(ModelError, match="taught_by"):
        Variant.of("odd", {"title": "Odd"})
