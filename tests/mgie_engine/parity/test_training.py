"""The training objective: losses, what the U-Net was fed, and gradients."""

from dataclasses import fields, replace

import pytest
import torch

from mgie_engine.config import Behaviour
from mgie_engine.lab.data import examples as data
from mgie_engine.lab.training.batch_loader import EncodedExample, ExampleEncoder, NoiseSample
from mgie_engine.lab.training.full import TrainingTask
from mgie_engine.lab.training.objective import (
    LatentBatch,
    collate_texts,
    denoising,
    training_loss,
    understand,
)
from mgie_engine.model.diffusion import alphas_cumprod, condition_latents, target_latents
from mgie_engine.text.prompting import Prompt
from tests.mgie_engine.parity.golden import DEVICE, close, golden, ids, sliced, value

LOSS, GRADIENT = 1e-5, 1e-3  # absolute, relative
CASES = golden().section("train")


@pytest.fixture(scope="module")
def learner(numbers):
    """The tiny networks, those parts learning that learn in the published code."""
    networks = numbers.networks()
    networks.mllm.model.embed_tokens.requires_grad_(True)
    networks.mllm.lm_head.requires_grad_(True)
    networks.edit_head.requires_grad_(True)
    networks.unet.requires_grad_(True)
    return networks


def rows(case):
    return range(len(case["samples"]))


def said(case, prompter):
    pixels = torch.stack([value(case["images"], j) for j in rows(case)])
    examples = [prompter.example(Prompt(instruction), answer) for instruction, answer in case["samples"]]
    batch = collate_texts(examples, pixels, prompter.tokenizer, prompter.image_tokens)
    return replace(batch, **{f.name: getattr(batch, f.name).to(DEVICE) for f in fields(batch)})


def painted(case, networks):
    inputs, answers = (
        torch.stack([value(case[key], j) for j in rows(case)]) for key in ("p2p_inp", "p2p_ans")
    )
    return LatentBatch(
        goal=target_latents(networks.vae, answers, value(case["vae_eps"])),
        condition=condition_latents(networks.vae, inputs),
        noise=value(case["noise"]),
        timesteps=torch.tensor(case["timesteps"], device=DEVICE),
        drop=torch.tensor(case["prob"], device=DEVICE),
    )


def norm(parameters):
    gradients = [p.grad.double() for p in parameters if p.grad is not None]
    return float(torch.stack([g.pow(2).sum() for g in gradients]).sum().sqrt())


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_batch_of_texts(case, numbers, prompter):
    batch = said(case, prompter)
    assert batch.ids.tolist() == numbers.array("train", case["case"], "input_ids").tolist()
    assert batch.labels.tolist() == numbers.array("train", case["case"], "labels").tolist()
    assert batch.states_at.tolist() == case["p"]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_what_the_unet_is_fed_and_answers(case, numbers, learner, prompter):
    def expected(name):
        return numbers.array("train", case["case"], name)

    paintings, schedule = painted(case, learner), numbers.config.noise
    close(paintings.noise, expected("noise"), 0)
    close(paintings.goal, expected("lat_ans"), 2e-5)
    embeddings = learner.mllm.visual_embeddings
    states = understand(learner.mllm, said(case, prompter), Behaviour.RELEASE).states
    guidance, null = learner.edit_head(states, embeddings), learner.edit_head.null(embeddings)
    seen = denoising(learner.unet, guidance, null, paintings, schedule, alphas_cumprod(schedule).to(DEVICE))
    close(seen.inputs, expected("unet_in"), 2e-5)
    close(sliced(seen.guidance, "[:, ::4, ::8]"), expected("unet_ctx_s"), 2e-5)
    close(seen.prediction, expected("unet_out"), 2e-5)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_losses_and_gradients(case, numbers, learner, prompter):
    schedule = numbers.config.noise
    losses = training_loss(
        learner.mllm,
        learner.edit_head,
        learner.unet,
        said(case, prompter),
        painted(case, learner),
        schedule,
        alphas_cumprod(schedule).to(DEVICE),
        Behaviour.RELEASE,
    )
    close(losses.total, case["loss"], LOSS)
    close(losses.instruction, case["loss_ce"], LOSS)
    close(losses.edit, case["loss_edit"], LOSS)
    for network in learner.parts().values():
        network.zero_grad()
    losses.total.backward()
    check_gradients(case, numbers, learner)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_losses_of_the_trainers_own_lots(case, numbers, learner, prompter):
    """From the data's examples on: the text as training makes it, pictures and dice side by side."""
    encoder = ExampleEncoder(prompter, numbers.config.vision, side=0)
    items = [
        EncodedExample(
            encoder.text(data.EditExample("", instruction, b"", b"", answer)),
            *(value(case[key], j) for key in ("images", "p2p_inp", "p2p_ans")),
        )
        for j, (instruction, answer) in enumerate(case["samples"])
    ]
    dice = (torch.tensor(case["timesteps"]), torch.tensor(case["prob"]))
    batch = encoder.batch(items, NoiseSample(value(case["vae_eps"]), value(case["noise"]), *dice)).to(DEVICE)
    assert batch.texts.labels.tolist() == numbers.array("train", case["case"], "labels").tolist()
    losses = TrainingTask(numbers.config, learner).to(DEVICE).losses(batch, Behaviour.RELEASE)
    close(losses.total, case["loss"], LOSS)
    close(losses.instruction, case["loss_ce"], LOSS)
    close(losses.edit, case["loss_edit"], LOSS)


def check_gradients(case, numbers, learner):
    table, head = learner.mllm.model.embed_tokens.weight, learner.mllm.lm_head.weight
    query, bias = learner.edit_head.query, learner.unet.conv_in.bias
    norms = {
        "model.embed_tokens": norm([table]),
        "lm_head": norm([head]),
        "edit_head": norm(learner.edit_head.parameters()),
        "unet": norm(learner.unet.parameters()),
    }
    for name, expected in case["grad_norm"].items():
        close(norms[name], expected, atol=0, rtol=GRADIENT)
    for name, ours in (
        ("grad_embed_img", table.grad[-11:]),
        ("grad_lm_head_img", head.grad[-8:]),
        ("grad_unet_conv_in_b", bias.grad),
        ("grad_query_s", query.grad[:, ::11, ::32]),
    ):
        close(ours, numbers.array("train", case["case"], name), atol=1e-6, rtol=GRADIENT)
