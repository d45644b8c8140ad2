from dataclasses import replace

import pytest
import torch

from mgie_engine.checkpoints.native import build
from mgie_engine.config import Behaviour, NoiseSchedule
from mgie_engine.lab.training.objective import (
    LatentBatch,
    collate_texts,
    denoising,
    drop_conditions,
    next_token_loss,
    states_at,
    training_loss,
    understand,
)
from mgie_engine.model.diffusion import alphas_cumprod
from mgie_engine.text.prompting import IGNORED, Prompt, Prompter
from tests.support.tiny_model import V_PREDICTION, config, tokenizer

GENERATOR = torch.Generator().manual_seed(0)
PROMPTER = Prompter(tokenizer(), config().vision.tokens)
PAIRS = [("make the ball red", "the ball is red"), ("x", "the sky turns dark and the ball is blue")]


def randn(*shape):
    return torch.randn(shape, generator=GENERATOR)


@pytest.fixture(scope="module")
def networks():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(config())


@pytest.fixture
def batch():
    examples = [PROMPTER.example(Prompt(asked), answer) for asked, answer in PAIRS]
    return collate_texts(examples, randn(2, 3, 32, 32), tokenizer(), PROMPTER.image_tokens)


@pytest.fixture
def paintings():
    return LatentBatch(
        randn(2, 4, 4, 4),
        randn(2, 4, 4, 4),
        randn(2, 4, 4, 4),
        torch.tensor([5, 999]),
        torch.tensor([0.5, 0.5]),
    )


@pytest.mark.parametrize(
    ("draw", "without_text", "without_picture"),
    [
        (0.0, True, False),
        (0.0499, True, False),
        (0.05, True, True),
        (0.0999, True, True),
        (0.10, False, True),
        (0.1499, False, True),
        (0.15, False, False),
        (0.9, False, False),
    ],
)
def test_one_draw_decides_which_conditions_are_dropped(draw, without_text, without_picture):
    guidance, null, condition = torch.ones(1, 7, 24), torch.full((1, 7, 24), 2.0), torch.ones(1, 4, 4, 4)
    words, picture = drop_conditions(torch.tensor([draw]), guidance, null, condition)
    assert torch.equal(words, null if without_text else guidance)
    assert torch.equal(picture, 0 * condition if without_picture else condition)


def test_states_begin_before_the_first_supervised_visual_token():
    first, rows = tokenizer().visual[0], torch.full((3, 30), IGNORED)
    rows[0, 12], rows[1, 28] = first, first
    assert states_at(rows, first, 8).tolist() == [11, 21, 21]


def test_a_batch_without_supervision_costs_nothing_here_and_is_nan_in_the_release():
    scores, labels = randn(2, 5, 9), torch.full((2, 5), IGNORED)
    assert next_token_loss(scores, labels, Behaviour.SERVING) == 0
    assert next_token_loss(scores, labels, Behaviour.RELEASE).isnan()


def test_supervised_batches_cost_the_same_in_both():
    scores, labels = randn(2, 5, 9), torch.tensor([[IGNORED, 3, 4, 5, IGNORED], [IGNORED] * 5])
    losses = [next_token_loss(scores, labels, behaviour) for behaviour in Behaviour]
    torch.testing.assert_close(*losses)


def test_padding_changes_nothing_in_a_row(networks, batch):
    together = understand(networks.mllm, batch).states
    example = PROMPTER.example(Prompt(PAIRS[0][0]), PAIRS[0][1])
    alone = collate_texts([example], batch.pixels[:1], tokenizer(), PROMPTER.image_tokens)
    torch.testing.assert_close(understand(networks.mllm, alone).states[0], together[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("schedule", [NoiseSchedule(), V_PREDICTION])
def test_every_network_learns_from_the_whole_loss(networks, batch, paintings, schedule):
    for network in networks.parts().values():
        network.zero_grad()
    alphas = alphas_cumprod(schedule)
    losses = training_loss(
        networks.mllm, networks.edit_head, networks.unet, batch, paintings, schedule, alphas
    )
    torch.testing.assert_close(losses.total, losses.instruction + 0.5 * losses.edit)
    losses.total.backward()
    # The pooled class token is not read, nor the layers above the selected one.
    unread = ("clip.post_layernorm", "clip.vision_model.post_layernorm")
    for part in (networks.mllm, networks.edit_head, networks.unet):
        for name, parameter in part.named_parameters():
            if not name.startswith(unread) and "encoder.layers.2" not in name:
                assert parameter.grad is not None, name


def test_a_weight_map_counts_some_places_more(networks, paintings):
    guidance, null, schedule = randn(2, 7, 24), randn(1, 7, 24), NoiseSchedule()
    alphas = alphas_cumprod(schedule)

    def loss(weight):
        weighted = replace(paintings, weight=weight)
        return denoising(networks.unet, guidance, null, weighted, schedule, alphas).loss

    torch.testing.assert_close(loss(torch.full((2, 1, 4, 4), 3.0)), 3 * loss(None))
    half = torch.zeros(2, 1, 4, 4)
    half[..., :2] = 1
    torch.testing.assert_close(loss(half) + loss(1 - half), loss(None))


def test_the_loss_can_be_computed_in_bf16(networks, batch, paintings):
    schedule = NoiseSchedule()
    with torch.autocast("cpu", torch.bfloat16):
        losses = training_loss(
            networks.mllm,
            networks.edit_head,
            networks.unet,
            batch,
            paintings,
            schedule,
            alphas_cumprod(schedule),
        )
    assert losses.total.dtype == torch.float32
    losses.total.backward()
