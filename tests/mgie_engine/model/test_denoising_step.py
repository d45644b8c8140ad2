"""What stands around the U-Net in a step: branches, guidance, the sampler, by slots."""

import pytest
import torch

from mgie_engine.model.denoising_step import SlotTensors, step_inputs, step_outputs

SLOTS, SHAPE = 4, (4, 6, 5)
CHOSEN = torch.tensor([2, 0])
#                     scale  time neither image both  cx   ce   a    b    c    d
NUMBERS = torch.tensor([[0.5, 9.0, -0.5, -6.0, 7.5, 1.0, -2.0, 0.3, 0.7, 0.2, 0.1]] * 2)


@pytest.fixture
def held():
    held = SlotTensors.zeros(SLOTS, SHAPE, torch.device("cpu"))
    for tensor in (held.latents, held.x0, held.image_latents, held.difference):
        tensor.normal_()
    return held


def test_the_first_of_three_branches_does_not_see_the_picture(held):
    seen = step_inputs(held, CHOSEN, NUMBERS, 3, torch.float32)
    assert seen.shape == (4, 8, 6, 5)
    assert torch.equal(seen[:2, :4], 0.5 * held.latents[CHOSEN])
    assert not seen[:2, 4:].any()
    assert torch.equal(seen[2:, 4:], held.image_latents[CHOSEN])


@pytest.mark.parametrize("branches", [2, 3])
def test_a_step_guides_and_moves_its_slots_and_no_other(held, branches):
    before = held.latents.clone()
    found, noise = torch.randn(branches * 2, *SHAPE), torch.randn(2, *SHAPE)
    clean_before = held.x0[CHOSEN].clone()
    step_outputs(held, found, CHOSEN, NUMBERS, noise, 0.0)
    *first, image, both = found.view(branches, 2, *SHAPE)
    guided = -6.0 * image + 7.5 * both - (0.5 * first[0] if first else 0.0)
    clean = before[CHOSEN] - 2.0 * guided
    moved = 0.3 * before[CHOSEN] + 0.7 * clean + 0.2 * noise + 0.1 * clean_before
    torch.testing.assert_close(held.latents[CHOSEN], moved)
    torch.testing.assert_close(held.difference[CHOSEN], guided - both)
    torch.testing.assert_close(held.relevance[CHOSEN], (both - image).abs().mean(1))
    assert torch.equal(held.latents[[1, 3]], before[[1, 3]])


def test_one_branch_takes_the_guidance_of_the_step_before(held):
    before, difference = held.latents[CHOSEN].clone(), held.difference[CHOSEN].clone()
    found = torch.randn(2, *SHAPE)
    step_outputs(held, found, CHOSEN, NUMBERS, torch.zeros(2, *SHAPE), 0.0)
    torch.testing.assert_close(held.x0[CHOSEN], before - 2.0 * (found + difference))
    assert not held.relevance.any()
