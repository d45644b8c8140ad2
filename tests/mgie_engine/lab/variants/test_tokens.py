import pytest
import torch

from mgie_engine.config import EditHeadSizes
from mgie_engine.edits import Exchange
from mgie_engine.lab.training.objective import collate_texts
from mgie_engine.lab.variants.tokens import InstructionIds, repeat_states, tokenizer_with, with_visual_tokens
from mgie_engine.model.edit_head import EditHead
from mgie_engine.text.prompting import IGNORED, Prompt, Prompter
from tests.support.tiny_serving import a_tokenizer

PATCHES, ROOM = 4, 40


@pytest.fixture(scope="module")
def prompter():
    return Prompter(a_tokenizer(), PATCHES, history_turns=2)


def two_texts(prompter):
    said = ("The ball is red.", "The red ball is red, and the picture is curious.")
    examples = [prompter.example(Prompt("make the ball red"), expressive) for expressive in said]
    return collate_texts(examples, torch.zeros(2, 3, 8, 8), prompter.tokenizer, PATCHES)


@pytest.mark.parametrize("wanted", [1, 4, 8])
def test_a_text_can_end_with_fewer_visual_tokens(prompter, wanted):
    few = Prompter(tokenizer_with(prompter.tokenizer, wanted), PATCHES)
    written = few.example(Prompt("make the ball red"), "The ball is red.")
    cut = with_visual_tokens(two_texts(prompter), 8, wanted)
    assert cut.ids[0][cut.real[0]].tolist() == written.ids
    assert cut.labels[0][: len(written.ids)].tolist() == written.labels
    assert set(cut.labels[0][len(written.ids) :].tolist()) <= {IGNORED}


def test_a_tokenizer_can_forget_its_last_visual_tokens():
    whole = a_tokenizer()
    few = tokenizer_with(whole, 3)
    assert few.visual == whole.visual[:3]
    assert len(few) == len(whole) - 5


@pytest.mark.parametrize("wanted", [1, 2, 4])
def test_an_edit_head_takes_copies_of_few_tokens_as_the_few(wanted):
    sizes = EditHeadSizes(
        visual_tokens=wanted, queries=5, width=16, encoder_layers=2, decoder_layers=2, heads=2,
        feedforward=32, out_dim=8,
    )  # fmt: skip
    torch.manual_seed(0)
    head = EditHead(sizes, 12)
    states, embeddings = torch.randn(3, 8, 12), torch.randn(1, 8, 12)
    few = head(states[:, :wanted], embeddings[:, :wanted])
    torch.testing.assert_close(head(repeat_states(states, wanted), repeat_states(embeddings, wanted)), few)


def test_the_last_instruction_is_found_in_a_prompt(prompter):
    talk = (Exchange("make the sky red", "The sky is red."), Exchange("be helpful", "It is."))
    ids = prompter.ids(Prompt("make the ball red", talk))
    at = ids.index(prompter.tokenizer.picture_start) + 1
    found = InstructionIds.of(prompter.tokenizer, ROOM)(torch.tensor([ids]), torch.tensor([at]))
    assert found.shape == (1, ROOM)
    words = prompter.tokenizer.decode(found[0].tolist()).replace("</s>", "").strip()
    assert words == "<s> 'make the ball red'"


def test_what_does_not_fit_is_cut_off(prompter):
    ids = prompter.ids(Prompt("make the ball red " * 20))
    at = ids.index(prompter.tokenizer.picture_start) + 1
    found = InstructionIds.of(prompter.tokenizer, 9)(torch.tensor([ids]), torch.tensor([at]))
    assert found.shape == (1, 9)
    assert prompter.tokenizer.end not in found
