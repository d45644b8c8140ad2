"""The small model's own stages, at toy size: what they are fed, and that they run from end to end."""

import numpy as np
import pytest
import torch

from mgie_engine.checkpoints import build, load
from mgie_engine.config import resolve_model
from mgie_engine.evaluation.scenes import pictures
from mgie_engine.prompting import IGNORED, Prompt
from mgie_engine.scenes.stories import story
from mgie_engine.training import packing
from mgie_engine.training.autoencoder import train_vae, whiten
from mgie_engine.training.gallery import Gallery, Painter
from mgie_engine.training.language import Quiz, train_mllm
from mgie_engine.training.mini import IMAGE_TOKENS, tiny_config
from mgie_engine.training.painting import mask_weight, train_diffusion
from mgie_engine.training.recipe import Recipe
from mgie_engine.training.run import SHORT, Draw, Run, TextTable
from mgie_engine.training.vocabulary import train_vocabulary
from mgie_engine.training.world import ANSWERS, INVENTORY, World, write_world

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    train_vocabulary(folder, stories=300)
    write_world(folder / "world", packing.prompter(folder, IMAGE_TOKENS), stories=24, chunk=12)
    return folder


@pytest.fixture(scope="module")
def world(folder):
    return World.load(sorted((folder / "world").glob("*.npz")))


@pytest.fixture(scope="module")
def config(folder):
    return tiny_config(len(packing.prompter(folder, IMAGE_TOKENS).tokenizer))


def recipe(name: str) -> Recipe:
    changes = {
        "steps": 2,
        "batch_size": 4,
        "compile": False,
        "precision": "no",
        "log_every": 1,
        "save_every": 2,
    }
    return Recipe.read(f"mini-{name}", **changes, options={"whiten_pictures": 8})


def test_a_world_holds_the_stories_as_they_are_told(folder, world):
    tokenizer = packing.prompter(folder, IMAGE_TOKENS).tokenizer
    told = [step.edit.expressive for seed in range(24) for step in story(seed, "train").steps]
    edits = np.flatnonzero(world.kind != INVENTORY)
    texts = TextTable(world, CPU).texts(torch.from_numpy(edits), torch.zeros(len(edits), 3, 32, 32))
    taught = [row[row != IGNORED].tolist() for row in texts.labels]
    assert [tokenizer.decode(ids[: -len(tokenizer.visual) - 1]) for ids in taught] == told


def test_the_states_to_read_are_those_that_predict_the_visual_tokens(folder, world):
    tokenizer = packing.prompter(folder, IMAGE_TOKENS).tokenizer
    row = np.arange(len(world.kind))
    assert set(world.ids[row, world.states_at + 1]) == {tokenizer.visual[0]}
    assert set(world.ids[row, world.picture_at - 1]) == {tokenizer.picture_start}


def test_batches_are_all_short_or_all_long(world):
    draw = Draw.of(world, seed=0, inventories=True)
    for _ in range(8):
        lengths = world.length[draw.edits(16)]
        assert (lengths <= SHORT).all() or (lengths > SHORT).all()


def test_the_painter_paints_what_evaluation_measures(world):
    states = [state for seed in range(4) for state in story(seed, "train").states]
    painted = Painter(world, CPU)(torch.arange(len(states)), 64)
    torch.testing.assert_close(painted, pictures(states, 64), atol=2e-6, rtol=0)


def test_a_gallery_knows_where_an_edit_changes_something(world, config):
    vae = build(config).vae.eval()
    gallery = Gallery.hang(world, Painter(world, CPU), vae, 32, size=64)
    idle = torch.from_numpy(world.before == world.after)
    assert not gallery.changed[idle].any()
    assert gallery.changed[~idle].flatten(1).any(1).float().mean() > 0.9


def test_a_small_change_counts_for_more():
    changed = torch.zeros(2, 1, 10, 10, dtype=torch.bool)
    changed[0, 0, 0, :5] = True
    weight = mask_weight(changed, share=0.3, most=8.0)
    assert float(weight[0].max()) == pytest.approx(6.0)
    assert float(weight[0].min()) == 1.0
    assert float(weight[1].max()) == 1.0


def test_whitened_latents_are_standard_and_decode_to_the_same(config):
    torch.manual_seed(0)
    vae = build(config).vae.eval()
    batch = torch.rand(4, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        before = vae.decode(vae.encode(batch).latent_dist.mode()).sample
        whiten(vae, [batch])
        latents = vae.encode(batch).latent_dist.mode()
        after = vae.decode(latents).sample
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(latents.mean(dim=(0, 2, 3)), torch.zeros(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(latents.std(dim=(0, 2, 3)), torch.ones(16), atol=1e-3, rtol=0)


def test_the_quiz_asks_nothing_about_photos():
    quiz = Quiz(32)
    loss, right = quiz(torch.randn(2, 64, 32), torch.full((2, len(ANSWERS)), -1))
    assert (loss.item(), right.item()) == (0.0, 0.0)


def test_the_three_stages_make_a_model_that_reads(folder, world, config):
    packing.keep(train_vae(Run(config, recipe("vae"), world, folder, CPU)), folder / "vae.safetensors")
    packing.keep(train_mllm(Run(config, recipe("mllm"), world, folder, CPU)), folder / "mllm.safetensors")
    trained = train_diffusion(Run(config, recipe("diffusion"), world, folder, CPU))
    packing.pack(folder, config)  # what was saved under way
    packing.keep(trained, folder / "diffusion.safetensors")
    packing.pack(folder, config)
    mgie = load(resolve_model(str(folder / "model")))
    (picture,) = mgie.decode(torch.zeros(1, 16, 8, 8))
    (reading,) = mgie.read([picture], [Prompt("make the ball red")])
    assert reading.guidance.shape == (77, 32)
    packing.unpack(str(folder / "model"), folder, ["diffusion"])
    assert (folder / "start-diffusion.safetensors").is_file()
    assert not (folder / "start-vae.safetensors").exists()
