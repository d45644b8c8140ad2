"""All variants at toy size: trained, written, tried and gone on with."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch import nn

from mgie_engine.checkpoints.native import build
from mgie_engine.checkpoints.tensors import read_tensors
from mgie_engine.cli import main
from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError, ModelError
from mgie_engine.lab.evaluation.results import TrialConfig, read_results
from mgie_engine.lab.training import packing
from mgie_engine.lab.training.context import StageContext
from mgie_engine.lab.training.dataset import SceneDataset, write_dataset
from mgie_engine.lab.training.mini import IMAGE_TOKENS, tiny_config
from mgie_engine.lab.training.recipe import Recipe
from mgie_engine.lab.training.vocabulary import train_vocabulary
from mgie_engine.lab.variants.variant import variants
from mgie_engine.lab.variants.variant_config import VariantRunConfig, run_variants
from mgie_engine.lab.variants.variant_io import load_variant
from mgie_engine.lab.variants.variant_trainer import VariantTrainer
from mgie_engine.lab.variants.variant_worker import VariantJob, prepare_folder
from mgie_engine.text.prompting import Prompt
from mgie_engine.text.tokenizer import Tokenizer

QUICK = {"steps": 2, "batch_size": 4, "compile": False, "precision": "no", "log_every": 1}
RECIPE, LANGUAGE = (Recipe.read(name, **QUICK) for name in ("variants", "mini-mllm"))
TRIAL = TrialConfig(count=1, ambiguous=1, denoising_steps=1)
PROMPT = Prompt("make the ball red")
RED, BLUE = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A run with its first weights, all variants trained and tried."""
    folder = tmp_path_factory.mktemp("run")
    train_vocabulary(folder, stories=300)
    write_dataset(folder / "world", packing.prompter(folder, IMAGE_TOKENS), stories=24)
    tokenizer = Tokenizer.read(folder)
    config = tiny_config(len(tokenizer))
    torch.manual_seed(0)
    packing.save_weights(build(config).vae, folder / "start-vae.safetensors")
    dataset = SceneDataset.load(sorted((folder / "world").glob("*.npz")))
    run = StageContext(config, RECIPE, dataset, folder, torch.device("cpu"))
    prepare_folder(run, LANGUAGE)
    copies = folder / "copies"
    copies.mkdir()
    job = VariantJob(run, tokenizer, TRIAL, copies=copies)
    assert job.do()
    return job


def loaded(job, name):
    return load_variant(job.folder / name)[1]


def own_tensors(job, name):
    return read_tensors(sorted((job.folder / name).glob("*.safetensors"))).keys()


def test_every_variant_is_tried_on_the_same_edits(job):
    found = read_results(job.folder / "results.json")["variants"]
    assert list(found) == [variant.name for variant in variants(RECIPE)]
    kinds = {json.dumps([edit["kind"] for edit in one["sets"]["all"]]) for one in found.values()}
    assert len(kinds) == 1
    assert all(len(one["sets"]["ambiguous"]) == 1 for one in found.values())
    assert all([line["step"] for line in one["log"]] == [1, 2] for one in found.values())
    assert (job.copies / "results.json").is_file()


def test_every_variant_begins_with_the_same_batch_and_the_same_weights(job):
    firsts = [
        json.loads((job.folder / f"{variant.name}.jsonl").read_text().splitlines()[0])["edit"]
        for variant in variants(RECIPE)
    ]
    assert firsts == pytest.approx([firsts[0]] * len(firsts))  # the U-Net's last layer begins with zeros


def test_a_frozen_language_model_is_that_of_all(job):
    assert not any(
        name.startswith(("model.", "lm_head", "clip.")) for name in own_tensors(job, "mgie-frozen")
    )
    assert {"lm_head.weight", "model.norm.weight"} <= own_tensors(job, "mgie")


def test_without_the_words_loss_the_last_layer_of_words_stays_as_it_was(job):
    own = own_tensors(job, "mgie-without-words")
    assert "lm_head.weight" not in own
    assert "model.norm.weight" in own


def test_a_fine_tuned_language_model_differs_from_one_trained_end_to_end(job):
    fine, whole = (loaded(job, name).mllm.state_dict() for name in ("mgie-fine-tuned", "mgie"))
    assert any(not torch.equal(fine[name], weight) for name, weight in whole.items())


def test_the_blind_variant_reads_every_picture_alike(job):
    blind = loaded(job, "lgie").read([RED, BLUE], [PROMPT, PROMPT])
    seeing = loaded(job, "mgie").read([RED, BLUE], [PROMPT, PROMPT])
    torch.testing.assert_close(blind[0].guidance, blind[1].guidance)
    assert not torch.allclose(seeing[0].guidance, seeing[1].guidance)


def test_instruct_pix2pix_reads_the_instruction_alone_and_says_nothing(job):
    mgie = loaded(job, "instruct-pix2pix")
    talk = Prompt(PROMPT.instruction, (Exchange("make it blue", "It turns blue."),))
    alone, later, other = mgie.read([RED, BLUE, RED], [PROMPT, talk, Prompt("remove the tree")])
    assert alone.expressive == later.expressive == ""
    torch.testing.assert_close(alone.guidance, later.guidance)
    assert not torch.allclose(alone.guidance, other.guidance)


@pytest.mark.parametrize(("name", "count"), [("mgie-1-token", 1), ("mgie-4-tokens", 4), ("mgie", 8)])
def test_a_variant_has_its_number_of_visual_tokens(job, name, count):
    mgie = loaded(job, name)
    assert mgie.visual_embeddings.shape[1] == len(mgie.tokenizer.visual) == count
    (reading,) = mgie.read([RED], [PROMPT])
    assert reading.guidance.shape == (77, 32)


def test_all_may_begin_with_a_painter_which_forgets_how_it_was_guided(job, tmp_path):
    for part in ("vae", "mllm"):
        shutil.copyfile(job.run.folder / f"{part}.safetensors", tmp_path / f"{part}.safetensors")
    renderer = build(job.run.config).unet
    for parameter in renderer.parameters():
        nn.init.constant_(parameter, 0.5)
    packing.save_weights(renderer, tmp_path / "start-unet.safetensors")
    prepare_folder(run := replace(job.run, folder=tmp_path), LANGUAGE)
    first = VariantTrainer(run, job.tokenizer).unet.state_dict()
    forgotten = {name for name, value in first.items() if not (value == 0.5).all()}
    assert forgotten == {name for name in first if "attn2.to_k" in name or "attn2.to_v" in name}


def test_a_job_that_is_done_does_nothing_more(job):
    before = (job.folder / "results.json").stat().st_mtime_ns
    assert VariantJob(job.run, job.tokenizer, TRIAL).do()
    assert (job.folder / "results.json").stat().st_mtime_ns == before


def test_results_of_other_training_are_not_mixed_in(job):
    longer = replace(job.run, recipe=replace(RECIPE, steps=3))
    with pytest.raises(DataError, match="was begun with"):
        VariantJob(longer, job.tokenizer, TRIAL).do()


def test_results_of_other_edits_are_not_mixed_in(job):
    with pytest.raises(DataError, match="another trial"):
        VariantJob(job.run, job.tokenizer, replace(TRIAL, seeds=2)).do()


def test_a_broken_off_job_goes_on(job):
    """What is written and not yet tried is tried; what is not begun waits when there is no time."""
    file = job.folder / "results.json"
    whole = file.read_text()
    found = json.loads(whole)
    lost = found["variants"].pop("mgie-4-tokens")
    file.write_text(json.dumps(found))
    assert not VariantJob(replace(job.run, until=0.0), job.tokenizer, TRIAL).do()
    assert VariantJob(job.run, job.tokenizer, TRIAL).do(["mgie-4-tokens"])
    assert read_results(file)["variants"]["mgie-4-tokens"]["sets"] == lost["sets"]


def test_one_that_fails_does_not_keep_the_next_from_its_turn(job):
    file = job.folder / "results.json"
    whole = file.read_text()
    found = json.loads(whole)
    for name in ("mgie", "lgie"):
        del found["variants"][name]
    file.write_text(json.dumps(found))
    weights = next((job.folder / "mgie").glob("*.safetensors"))
    kept = weights.read_bytes()
    weights.write_bytes(kept[:100])
    assert not VariantJob(job.run, job.tokenizer, TRIAL).do()
    assert {"mgie", "lgie"} & read_results(file)["variants"].keys() == {"lgie"}
    weights.write_bytes(kept)
    file.write_text(whole)


def test_the_command_tries_what_has_no_result(job, capsys):
    file = job.folder / "results.json"
    whole = file.read_text()
    found = json.loads(whole)
    del found["variants"]["lgie"]
    file.write_text(json.dumps(found))
    asked = ["--count", "1", "--ambiguous", "1", "--denoising-steps", "1"]
    assert main(["evaluate", "variants", str(job.folder), *asked]) == 0
    assert "| LGIE: language model without the picture |" in capsys.readouterr().out
    tried, before = (found["variants"]["lgie"]["sets"] for found in (read_results(file), json.loads(whole)))
    assert tried == before


def test_steps_can_be_as_many_as_fit_into_minutes(job, tmp_path):
    for part in ("vae", "mllm"):
        shutil.copy(job.run.folder / f"{part}.safetensors", tmp_path)
    run = replace(job.run, folder=tmp_path)
    assert VariantJob(run, job.tokenizer, TRIAL, minutes=1e-9).do(["mgie-frozen"])
    found = read_results(tmp_path / "variants" / "results.json")
    assert found["training"]["steps"] == len(found["variants"]["mgie-frozen"]["log"]) == 1
    assert VariantJob(run, job.tokenizer, TRIAL, minutes=5).do(
        ["mgie-frozen"]
    )  # the steps are those it was begun with


def test_processes_share_the_variants_and_train_as_long_as_their_leader_says(job, tmp_path):
    for part in ("start-vae.safetensors", "mllm.safetensors", "tokenizer.model"):
        shutil.copy(job.run.folder / part, tmp_path)
    shutil.copytree(job.run.folder / "world", tmp_path / "world")
    order = VariantRunConfig(tmp_path, RECIPE, TRIAL, minutes=1e-9, tiny=True)
    assert run_variants(order, LANGUAGE, ["lgie", "mgie-frozen"], processes=2)
    found = read_results(tmp_path / "variants" / "results.json")
    assert list(found["variants"]) == ["lgie", "mgie-frozen"]
    assert found["training"]["steps"] == 1
    assert all(len(one["log"]) == 1 for one in found["variants"].values())


def test_what_the_processes_leave_undone_is_told(job, tmp_path):
    whole = job.folder / "results.json"
    shutil.copytree(job.run.folder, tmp_path / "run")
    found = json.loads(whole.read_text())
    del found["variants"]["lgie"], found["variants"]["mgie"]
    (tmp_path / "run" / "variants" / "results.json").write_text(json.dumps(found))
    order = VariantRunConfig(tmp_path / "run", RECIPE, TRIAL, until=0.0, tiny=True)
    assert not run_variants(order, LANGUAGE, processes=2)


def test_there_is_no_training_without_an_autoencoder(job, tmp_path):
    with pytest.raises(ModelError, match=r"no vae\.safetensors"):
        prepare_folder(replace(job.run, folder=tmp_path), LANGUAGE)


def test_a_folder_without_a_variant_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no whole variant"):
        load_variant(tmp_path)
