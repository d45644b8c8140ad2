"""Training at full size, at toy size: what is learned, going on after a kill, and several processes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from filelock import FileLock
from PIL import Image
from safetensors.torch import load_file
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from mgie_engine.checkpoints.native import save
from mgie_engine.errors import DataError, ModelError
from mgie_engine.install.extract import extract, tensors_of_run
from mgie_engine.lab.data.shards import shard_file, write_shard
from mgie_engine.lab.training import full, initial_weights
from mgie_engine.lab.training.full import Options, resolve_recipe
from mgie_engine.lab.training.trainer import checkpoints
from tests.support.preloaded import preloaded
from tests.support.scene_examples import scene_examples
from tests.support.tiny_model import model
from tests.support.training_batches import plan, prepare


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    save(model(), folder)
    return folder


def train(chosen, first):
    return full.train(
        chosen, initial_weights.read_source(str(first), Path(), "clean"), PartialState(cpu=True)
    )


def losses(folder):
    return [json.loads(line)["total"] for line in (folder / "full.jsonl").read_text().splitlines()]


def test_only_what_the_release_trains_is_learned(data, first, tmp_path):
    train(plan(data, tmp_path, steps=2), first)
    before, after = load_tensors(first), load_file(tmp_path / full.WEIGHTS)
    assert after.keys() == {name for name in before if name.startswith(initial_weights.LEARNING)}
    assert any(not torch.equal(before[name].half(), after[name]) for name in after)


def load_tensors(folder):
    return {name: t for file in folder.glob("*.safetensors") for name, t in load_file(file).items()}


def test_the_loss_falls(data, first, tmp_path):
    train(plan(data, tmp_path, steps=12, learning_rate=5e-3), first)
    told = losses(tmp_path)
    assert sum(told[-3:]) < 0.95 * sum(told[:3])


def test_a_killed_run_goes_on_with_the_same_losses(data, first, tmp_path):
    chosen = plan(data, tmp_path, steps=4, save_every=2, keep=2, ema=0.9)
    train(chosen, first)
    told, whole = losses(tmp_path), load_file(tmp_path / full.WEIGHTS)
    shutil.rmtree(tmp_path / "checkpoint-4")  # as if it had been killed before
    (tmp_path / full.WEIGHTS).unlink()
    train(chosen, first)
    assert losses(tmp_path) == told
    again = load_file(tmp_path / full.WEIGHTS)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_folder_that_another_run_still_writes_to_is_refused(data, first, tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(ModelError, match="Another run is at work"):
        train(plan(data, tmp_path, steps=1), first)
    train(plan(data, tmp_path, steps=1), first)


def test_extract_takes_a_run_and_its_checkpoints(data, first, tmp_path):
    train(plan(data, tmp_path / "run", steps=2, save_every=1, keep=1), first)
    assert [path.name for path in checkpoints(tmp_path / "run")] == ["checkpoint-2"]
    whole, under_way = (
        extract(tensors_of_run(folder), tmp_path / folder.name)
        for folder in (tmp_path / "run", tmp_path / "run" / "checkpoint-2")
    )
    for one, other in zip(whole, under_way, strict=True):
        ours, theirs = torch.load(one, weights_only=True), torch.load(other, weights_only=True)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert "emb" in torch.load(whole[0], weights_only=True)


def test_a_run_draws_samples_on_its_way(data, first, tmp_path):
    options = {"sample_every": 1, "samples": 2, "sample_steps": 1}
    train(plan(data, tmp_path, steps=1, options=options), first)
    with Image.open(tmp_path / "samples" / "00000001.png") as sheet:
        assert sheet.size == (3 * 32, 2 * 32)


def test_half_precision_trains_as_well(data, first, tmp_path):
    last = train(plan(data, tmp_path, steps=1, precision="bf16"), first)
    whole = train(plan(data, tmp_path / "whole", steps=1), first)
    assert last["total"] == pytest.approx(whole["total"], rel=0.02)


def test_checkpointing_changes_nothing_but_memory(data, first, tmp_path):
    told = []
    for how in (True, False):
        folder = tmp_path / str(how)
        train(plan(data, folder, steps=2, options={"checkpointing": how}), first)
        told.append(losses(folder))
    assert told[0] == pytest.approx(told[1], rel=1e-5)


def test_a_batch_is_shared_out_over_processes_and_lots(data, tmp_path):
    recipe = resolve_recipe(plan(data, tmp_path, batch_size=12, epochs=2), processes=3)
    assert (recipe.accumulate, recipe.steps) == (2, 4)
    with pytest.raises(ModelError, match="cannot be shared by 5 processes"):
        resolve_recipe(plan(data, tmp_path, batch_size=12), processes=5)
    with pytest.raises(ModelError, match="neither how many steps nor how many epochs"):
        resolve_recipe(plan(data, tmp_path, epochs=0), processes=1)


def test_an_option_nobody_knows_is_refused(data, tmp_path):
    with pytest.raises(ModelError, match="unknown option 'microbatch'"):
        Options.of(plan(data, tmp_path, options={"microbatch": 2}).recipe)


def command(data, first, folder, *options):
    """Four steps from the command line."""
    said = ["batch_size=4", "precision='no'", "log_every=1", "save_every=2", "options.side=32", "keep=9"]
    said += ["options.micro_batch=2", "options.sample_every=2", "options.samples=1", "options.sample_steps=1"]
    given = ["--data", str(data), "--from", str(first), "--steps", "4", "--set", *said]
    return ["full", "release", "--folder", str(folder), *given, *options]


@pytest.fixture
def two(tmp_path):
    """Runs a command in two processes that know of each other as a launcher tells them."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    modules = ("mgie_engine.lab.training.full", "torch.distributed.fsdp", "accelerate")
    entry = "mgie_engine.lab.training.__main__:main"
    with preloaded(tmp_path / "bin", "training", entry, *modules, environment=environment) as training:

        def run(*arguments):
            store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
            world = environment | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
            world |= {"WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True"}
            ranks = [
                subprocess.Popen(
                    [training, *arguments],
                    env=world | {"RANK": rank, "LOCAL_RANK": rank},
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for rank in ("0", "1")
            ]
            complaints = [rank.communicate()[1][-3000:] for rank in ranks]
            assert [rank.returncode for rank in ranks] == [0, 0], complaints

        yield run


def test_two_processes_that_share_the_networks_learn_what_two_with_whole_ones_do(data, first, two, tmp_path):
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    two(*command(data, first, whole))
    two(*command(data, first, shared, "--shard"))
    told = losses(shared)
    assert told == pytest.approx(losses(whole), rel=1e-4)

    shutil.rmtree(shared / "checkpoint-4")
    two(*command(data, first, shared, "--shard"))
    assert losses(shared) == told
    ours, theirs = load_file(shared / full.WEIGHTS), load_file(whole / full.WEIGHTS)
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3) for name in theirs)


def test_data_without_expressive_instructions_are_refused(first, tmp_path):
    bare = [type(e)(e.id, e.instruction, e.before, e.after) for e in scene_examples(4, 32)]
    write_shard(shard_file(tmp_path, 0), bare)
    with pytest.raises(DataError, match="no expressive instruction yet"):
        train(plan(tmp_path, tmp_path, steps=1), first)
