"""The loop: its clock, its rates, its average, and going on after a kill."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn

from mgie_engine.errors import ModelError
from mgie_engine.lab.training.recipe import RECIPES, Recipe
from mgie_engine.lab.training.trainer import Clock, Trainer, rate_at

RECIPE = Recipe("line", batch_size=4, steps=40, learning_rate=0.2, precision="no", log_every=10)


def line() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict({"line": nn.Linear(2, 1)})


def batches(skip: int = 0):
    """Points of y = 3a - b + 1, the same ones every time."""
    for i in itertools.count(skip):
        x = torch.randn(4, 2, generator=torch.Generator().manual_seed(i))
        yield x, 3 * x[:, :1] - x[:, 1:] + 1


def squared_error(modules: nn.ModuleDict, batch):
    x, y = batch
    return {"total": ((modules["line"](x) - y) ** 2).mean()}


def test_a_run_is_over_when_its_steps_or_its_minutes_are():
    now = 0.0
    clock = Clock(steps=100, minutes=1.0, now=lambda: now)
    clock.step = 25
    assert clock.progress == 0.25
    now = 45.0
    assert clock.progress == 0.75


def test_a_run_that_starts_too_late_is_over_at_once():
    assert Clock(steps=100, minutes=-0.5).progress == 1


def test_the_rate_warms_up_and_falls_to_what_is_to_be_left():
    rates = [rate_at(p, RECIPE) for p in (0.0, 0.015, 0.03, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[3] > rates[4] == pytest.approx(RECIPE.final_rate)


def test_the_loss_falls(tmp_path):
    trainer = Trainer(RECIPE, line(), tmp_path, cpu=True)
    last = trainer.fit(batches(), squared_error)
    assert last["total"] < squared_error(line(), next(batches()))["total"].item() / 4


def weight_of(module: nn.Module) -> torch.Tensor:
    return module.get_parameter("weight")


def test_the_average_follows_the_weights(tmp_path):
    trainer = Trainer(RECIPE, line(), tmp_path, cpu=True)
    trainer.fit(batches(), squared_error)
    gap = weight_of(trainer.averaged["line"]) - weight_of(trainer.modules["line"])
    assert 0 < gap.abs().max().item() < 0.5


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    saving = replace(RECIPE, save_every=20)
    whole = Trainer(saving, line(), tmp_path, cpu=True)
    whole.fit(batches(), squared_error)

    (tmp_path / "again").mkdir()
    first = Trainer(saving, line(), tmp_path / "again", cpu=True)
    first.fit(itertools.islice(batches(), 20), squared_error)
    second = Trainer(saving, line(), tmp_path / "again", cpu=True)
    assert second.resume()
    second.fit(batches(skip=20), squared_error)
    torch.testing.assert_close(second.modules["line"].weight, whole.modules["line"].weight)
    torch.testing.assert_close(second.averaged["line"].weight, whole.averaged["line"].weight)


def test_without_a_save_there_is_nothing_to_resume(tmp_path):
    assert not Trainer(RECIPE, line(), tmp_path, cpu=True).resume()


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_in_the_package_reads(name):
    assert Recipe.read(name).batch_size > 0


def test_a_recipe_with_a_slip_of_the_pen_is_refused(tmp_path):
    path = tmp_path / "odd.toml"
    path.write_text('stage = "vae"\nbatchsize = 3\nsteps = 1\n')
    with pytest.raises(ModelError, match="unknown key 'batchsize'"):
        Recipe.read(str(path))


def test_an_unknown_recipe_says_where_it_was_looked_for():
    with pytest.raises(ModelError, match="neither in"):
        Recipe.read("nowhere")
