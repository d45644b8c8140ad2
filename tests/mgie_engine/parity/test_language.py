"""The language half: vision features, states, greedy text, guidance."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from mgie_engine.model.mgie import finish
from mgie_engine.text.prompting import Prompt, picture_start
from tests.mgie_engine.parity.golden import DEVICE, close, golden, ids, sliced, value

STATES = 2e-5  # absolute; values are of order 1


def place_of_picture(model, tokens):
    return picture_start(tokens, model.tokenizer, model.config.vision.tokens)


def states_of(model, tokens, pixels):
    """Last states (L, D) of one whole text."""
    row = torch.tensor([list(tokens)], device=DEVICE)
    at = torch.tensor([place_of_picture(model, tokens)], device=DEVICE)
    return model.mllm(row, pixels, at, torch.ones_like(row, dtype=torch.bool))[0]


@contextmanager
def special_scores(model, rows):
    """lm_head with the rows of </s> and the visual tokens replaced for a while."""
    weight = model.mllm.lm_head.weight
    places = [model.tokenizer.end, *model.tokenizer.visual]
    before = weight[places].clone()
    weight[places] = before if rows is None else rows
    yield
    weight[places] = before


def generated(model, numbers, case):
    rows = numbers.tensor("gen", case["case"], "lm_rows") if case["lm_head_override"] else None
    with special_scores(model, rows):
        return finish(model.think(value(case["pixel_rule"]), [Prompt(case["instruction"])]))[0]


@pytest.mark.parametrize("case", golden().section("clip"), ids=ids)
def test_clip_features_and_their_projection(case, numbers, release):
    pixels, mllm = value(case["pixel_rule"]), release.mllm
    features = mllm.see(pixels)
    close(features, numbers.array("clip", case["case"], "features"), STATES)
    close(mllm.mm_projector(features), numbers.array("clip", case["case"], "projected"), STATES)
    layers = mllm.clip(pixels, output_hidden_states=True).hidden_states
    assert len(layers) == case["n_hidden_states"]
    close(layers[0][:, :4], numbers.array("clip", case["case"], "hs0_cls_and_first3"), STATES)


@pytest.mark.parametrize("case", golden().section("teacher_forced"), ids=ids)
def test_teacher_forced_states_scores_and_guidance(case, numbers, release, prompter):
    def expected(name):
        return numbers.array("tf", case["case"], name)

    tokens = prompter.example(Prompt(case["instruction"]), case["answer"]).ids
    pixels = value(case["pixel_rule"])
    assert tokens == expected("input_ids").tolist()
    states = states_of(release, tokens, pixels)
    scores = release.mllm.lm_head(states)
    close(states, expected("last_hidden"), STATES)
    close(scores.logsumexp(-1), expected("logsumexp"), STATES)
    best = scores.topk(expected("top5_val").shape[-1])
    close(best.values, expected("top5_val"), STATES)
    np.testing.assert_array_equal(best.indices.cpu(), expected("top5_idx"))
    shown = expected("logits_cols_32000_32010")
    close(scores[:, -shown.shape[-1] :], shown, STATES)
    at = tokens.index(release.tokenizer.visual[0])
    assert at == case["img0_index"]
    guidance = release.guide(states[None, at - 1 : at + 7])
    close(sliced(guidance, case["edit_feat"]), expected("edit_feat"), STATES)


@pytest.mark.parametrize("case", golden().section("teacher_forced"), ids=ids)
def test_the_picture_replaces_the_patches_between_its_marks(case, numbers, release):
    tokens = numbers.array("tf", case["case"], "input_ids").tolist()
    row = torch.tensor([tokens], device=DEVICE)
    at = torch.tensor([place_of_picture(release, tokens)], device=DEVICE)
    embeddings = release.mllm.embed(row, release.mllm.patches(value(case["pixel_rule"])), at)
    close(embeddings[0, -3:], numbers.array("tf", case["case"], "hs0_last3"), STATES)


@pytest.mark.parametrize("case", golden().section("generate"), ids=ids)
def test_greedy_text_is_the_published_one(case, numbers, release, prompter):
    prompt, thought = Prompt(case["instruction"]), generated(release, numbers, case)
    assert prompter.ids(prompt) == numbers.array("gen", case["case"], "prompt_ids").tolist()
    assert thought.ids == numbers.array("gen", case["case"], "generated_ids").tolist()
    assert len(thought.ids) == case["len_generated"]
    assert prompter.tokenizer.decode(prompter.ids(prompt) + thought.ids) == case["decoded"]


@pytest.mark.parametrize("case", golden().section("generate"), ids=ids)
def test_the_expressive_instruction_is_the_published_one(case, numbers, release):
    prompt, thought = Prompt(case["instruction"]), generated(release, numbers, case)
    expected = case.get("remove_alter")
    if isinstance(expected, str) and "IndexError" not in expected:
        assert release.reader.release_text(prompt, thought) == expected
    else:
        with pytest.raises(IndexError):
            release.reader.release_text(prompt, thought)


@pytest.mark.parametrize("case", golden().section("generate"), ids=ids)
def test_guidance_comes_from_the_published_states(case, numbers, release):
    thought = generated(release, numbers, case)
    close(thought.states, numbers.array("gen", case["case"], "hid8"), STATES)
    guidance = sliced(release.guide(thought.states[None]), case["edit_feat"])
    close(guidance, numbers.array("gen", case["case"], "edit_feat"), STATES)


@pytest.mark.parametrize("case", golden().section("generate"), ids=ids)
def test_states_of_generated_tokens(case, numbers, release):
    out = np.concatenate(
        [numbers.array("gen", case["case"], part) for part in ("prompt_ids", "generated_ids")]
    )
    states = states_of(release, out[:-1], value(case["pixel_rule"]))
    assert (len(out), len(states)) == (case["len_out"], case["len_hid"])
    tail = numbers.array("gen", case["case"], "hid_tail12")
    close(states[-len(tail) :], tail, STATES)


@pytest.mark.parametrize("case", golden().section("edit_head"), ids=ids)
def test_the_edit_head(case, numbers, release):
    states, head = value(case["input_rule"]), release.edit_head
    guidance = release.guide(states)
    close(sliced(guidance, case["feat"]), numbers.array("edit", case["case"], "feat"), STATES)
    memory = head.mapper.encoder(head.llm2hid(states + release.visual_embeddings))
    expected = numbers.array("edit", case["case"], "encoder_memory")
    close(sliced(memory, case["encoder_memory"]), expected, STATES)


def test_the_guidance_of_no_instruction(numbers, release):
    close(release.visual_embeddings, numbers.array("edit", "EMB"), atol=0)
    close(release.null_guidance[None], numbers.array("edit", "NULL"), STATES)


@pytest.mark.parametrize("case", golden().section("image_token_in_instruction"), ids=ids)
def test_picture_tokens_typed_by_a_user(case, release, prompter):
    tokens = prompter.ids(Prompt(case["instruction"]))
    assert tokens == case["ids"]
    pixels = value(case["pixel_rule"])
    if case["ok"]:
        shown = case["last_hidden_last_pos"]
        close(states_of(release, tokens, pixels)[-1, : len(shown)], shown, STATES)
    else:
        with pytest.raises(ValueError, match=case["message"]):
            finish(release.think(pixels, [Prompt(case["instruction"])]))
