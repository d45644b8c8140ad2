"""The small model's own stages, at toy size: what they are fed, and that they run from end to end."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mgie_engine.checkpoints.native import build, load_model
from mgie_engine.config import resolve_model
from mgie_engine.lab.scenes.scene_images import pictures
from mgie_engine.lab.scenes.stories import story, tellings
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.autoencoder import train_vae, whiten
from mgie_engine.lab.training.context import SHORT, StageContext, TextSampler, TextTable, WordNoise
from mgie_engine.lab.training.dataset import ANSWERS, INVENTORY, SceneDataset, write_dataset
from mgie_engine.lab.training.diffusion_stage import (
    batches,
    columns,
    mask_weight,
    train_diffusion,
    warmup_batches,
)
from mgie_engine.lab.training.language import CellProbe, train_mllm
from mgie_engine.lab.training.latent_cache import LatentCache, SceneRenderer, shifted
from mgie_engine.lab.training.mini import IMAGE_TOKENS, tiny_config
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.vocabulary import train_vocabulary
from mgie_engine.text.prompting import IGNORED, Prompt

CPU = torch.device("cpu")
WORDINGS = 3
TOLD = range(168, 192)  # stories of which no text is left out as too long or held out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mini")
    train_vocabulary(folder, stories=300)
    write_dataset(
        folder / "world",
        packing.prompter(folder, IMAGE_TOKENS),
        stories=24,
        first=TOLD[0],
        wordings=WORDINGS,
        chunk=12,
    )
    return folder


@pytest.fixture(scope="module")
def dataset(folder):
    return SceneDataset.load(sorted((folder / "world").glob("*.npz")))


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
    return Recipe.read(f"mini-{name}", **changes, options={"whiten_pictures": 8, "word_noise": 0.02})


@pytest.fixture(scope="module")
def tokenizer(folder):
    return packing.prompter(folder, IMAGE_TOKENS).tokenizer


def asked(dataset) -> np.ndarray:
    """The texts that ask for edits of stories."""
    return np.flatnonzero(dataset.kind[dataset.edit] != INVENTORY)


def read(dataset, rows, noise=None):
    return TextTable(dataset, CPU, noise).texts(torch.from_numpy(rows), torch.zeros(len(rows), 3, 32, 32))


def test_a_world_holds_the_stories_as_they_are_told(tokenizer, dataset):
    stories = [tellings(seed, "train", WORDINGS) for seed in TOLD]
    steps = [
        step for ways in stories for alike in zip(*(one.steps for one in ways), strict=True) for step in alike
    ]
    texts, rows = read(dataset, asked(dataset)), asked(dataset)
    taught = [row[row != IGNORED].tolist() for row in texts.labels]
    ends = [ids[: -len(tokenizer.visual) - 1] for ids in taught]
    assert [tokenizer.decode(ids) for ids in ends] == [step.edit.expressive for step in steps]
    spans = zip(dataset.ids[rows], dataset.instruction_at[rows], dataset.picture_at[rows] - 1, strict=True)
    said = [tokenizer.decode(ids[begin:end].tolist()) for ids, begin, end in spans]
    assert said == [f"'{step.edit.instruction}'" for step in steps]


def test_the_wordings_of_an_edit_share_its_pictures(dataset):
    rows = asked(dataset)
    assert (np.bincount(dataset.edit[rows])[dataset.edit[rows]] == WORDINGS).all()
    start = np.cumsum([0, *(len(story(seed, "train").states) for seed in TOLD)])
    places = [
        (start[n] + s.before, start[n] + s.after)
        for n, seed in enumerate(TOLD)
        for s in story(seed, "train").steps
    ]
    edits = np.flatnonzero(dataset.kind != INVENTORY)
    assert list(zip(dataset.before[edits], dataset.after[edits], strict=True)) == places


def test_an_edit_is_drawn_as_often_as_an_inventory(dataset):
    draw = TextSampler.of(dataset, seed=0, inventories=True)
    drawn = np.bincount(dataset.edit[np.concatenate(draw.buckets)])
    assert (drawn == WORDINGS).all()


def test_a_world_of_one_wording_is_a_part_of_one_of_several(folder, dataset, tmp_path):
    (file,) = write_dataset(
        tmp_path, packing.prompter(folder, IMAGE_TOKENS), stories=24, first=TOLD[0], wordings=1
    )
    alone = SceneDataset.load([file])
    _, first = np.unique(dataset.edit, return_index=True)
    assert np.array_equal(alone.ids, dataset.ids[first])
    assert np.array_equal(alone.shapes, dataset.shapes)


def test_a_world_written_anew_holds_nothing_of_the_old_one(folder, tmp_path):
    prompter = packing.prompter(folder, IMAGE_TOKENS)
    write_dataset(tmp_path, prompter, stories=3, wordings=1, chunk=1)
    (file,) = write_dataset(tmp_path, prompter, stories=1, wordings=1, chunk=1)
    assert list(tmp_path.iterdir()) == [file]


def test_a_world_can_begin_with_a_later_story(folder, tmp_path):
    prompter = packing.prompter(folder, IMAGE_TOKENS)
    *_, third = write_dataset(tmp_path / "all", prompter, stories=3, wordings=1, chunk=1)
    (file,) = write_dataset(tmp_path / "later", prompter, stories=1, first=2, wordings=1)
    assert file.name == third.name
    assert np.array_equal(SceneDataset.load([file]).ids, SceneDataset.load([third]).ids)


def test_word_noise_replaces_words_of_the_instruction_alone(tokenizer, dataset):
    rows = asked(dataset)
    torch.manual_seed(0)
    noise = WordNoise(tokenizer, 1.0, CPU)
    clean, noisy = read(dataset, rows), read(dataset, rows, noise)
    changed = clean.ids != noisy.ids
    place = torch.arange(changed.shape[1])
    begin, end = (
        torch.from_numpy(column[rows])[:, None] for column in (dataset.instruction_at, dataset.picture_at)
    )
    assert not changed[(place < begin) | (place >= end - 1)].any()
    assert changed.any(1).all()
    assert torch.equal(clean.labels, noisy.labels)
    spelt = [tokenizer.pieces.id_to_piece(i) for i in noisy.ids[changed].unique().tolist()]
    assert all(any(character.isalpha() for character in piece) for piece in spelt)
    assert not any(piece.startswith("<") for piece in spelt)


def test_word_noise_takes_about_its_share(tokenizer, dataset):
    rows = np.repeat(asked(dataset), 8)
    torch.manual_seed(0)
    changed = [
        (read(dataset, rows).ids != read(dataset, rows, WordNoise(tokenizer, share, CPU)).ids).sum()
        for share in (0.1, 1.0)
    ]
    assert float(changed[0] / changed[1]) == pytest.approx(0.1, abs=0.01)


def test_pictures_are_shifted_both_ways_and_keep_their_edges():
    picture = torch.arange(35).view(1, 1, 5, 7)[..., :5].repeat(400, 3, 1, 1)
    torch.manual_seed(0)
    seen = shifted(picture, 1)
    centres = {tuple(divmod(int(one[0, 2, 2]), 7)) for one in seen}
    assert centres == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}
    up = next(one[0] for one in seen if one[0, 2, 2] == picture[0, 0, 3, 2])
    assert torch.equal(up, picture[0, 0, [1, 2, 3, 4, 4]])
    assert torch.equal(shifted(picture, 0), picture)


def test_the_states_to_read_are_those_that_predict_the_visual_tokens(tokenizer, dataset):
    row = np.arange(len(dataset.edit))
    assert set(dataset.ids[row, dataset.states_at + 1]) == {tokenizer.visual[0]}
    assert set(dataset.ids[row, dataset.picture_at - 1]) == {tokenizer.picture_start}


def test_batches_are_all_short_or_all_long(dataset):
    draw = TextSampler.of(dataset, seed=0, inventories=True)
    for _ in range(8):
        lengths = dataset.length[draw.texts(16)]
        assert (lengths <= SHORT).all() or (lengths > SHORT).all()


def test_the_painter_paints_what_evaluation_measures(dataset):
    states = [state for seed in TOLD[:4] for state in story(seed, "train").states]
    painted = SceneRenderer(dataset, CPU)(torch.arange(len(states)), 64)
    torch.testing.assert_close(painted, pictures(states, 64), atol=2e-6, rtol=0)


def test_a_gallery_knows_where_an_edit_changes_something(dataset, config):
    vae = build(config).vae.eval()
    latent_cache = LatentCache.build(dataset, config, SceneRenderer(dataset, CPU), vae)
    idle = torch.from_numpy(dataset.before == dataset.after)
    assert not latent_cache.changed[idle].any()
    seen = latent_cache.changed[~idle].flatten(1).any(1)
    assert seen.float().mean() > 0.85  # some tones of a part are faint at this size


def test_a_small_change_counts_for_more():
    changed = torch.zeros(2, 1, 10, 10, dtype=torch.bool)
    changed[0, 0, 0, :5] = True
    weight = mask_weight(changed, share=0.3, most=8.0)
    assert float(weight[0].max()) == pytest.approx(6.0)
    assert float(weight[0].min()) == 1.0
    assert float(weight[1].max()) == 1.0


def test_a_share_of_a_batch_is_painted_and_all_of_it_read(folder, dataset, config):
    painted = replace(recipe("diffusion"), options={**recipe("diffusion").options, "painted": 0.25})
    run = StageContext(config, painted, dataset, folder, CPU)
    latent_cache = LatentCache.build(dataset, config, SceneRenderer(dataset, CPU), build(config).vae.eval())
    for some in (batches(run, run.table(), latent_cache), warmup_batches(run, run.table())):
        texts, paintings = next(some)
        assert len(texts.ids) == 4
        assert {len(column) for column in columns(paintings)} == {1}


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
    probe = CellProbe(32)
    loss, right = probe(torch.randn(2, 64, 32), torch.full((2, len(ANSWERS)), -1))
    assert (loss.item(), right.item()) == (0.0, 0.0)


def test_the_three_stages_make_a_model_that_reads(folder, dataset, config):
    packing.save_weights(
        train_vae(StageContext(config, recipe("vae"), dataset, folder, CPU)), folder / "vae.safetensors"
    )
    packing.save_weights(
        train_mllm(StageContext(config, recipe("mllm"), dataset, folder, CPU)), folder / "mllm.safetensors"
    )
    trained = train_diffusion(StageContext(config, recipe("diffusion"), dataset, folder, CPU))
    packing.pack(folder, config)  # what was saved under way
    packing.save_weights(trained, folder / "diffusion.safetensors")
    packing.pack(folder, config)
    mgie = load_model(resolve_model(str(folder / "model")))
    (picture,) = mgie.decode(torch.zeros(1, 16, 8, 8))
    (reading,) = mgie.read([picture], [Prompt("make the ball red")])
    assert reading.guidance.shape == (77, 32)
    packing.unpack(str(folder / "model"), folder, ["diffusion"])
    assert (folder / "start-diffusion.safetensors").is_file()
    assert not (folder / "start-vae.safetensors").exists()
