"""Prompts, labels and text clean-up: exact."""

import hashlib
from dataclasses import replace

import pytest

from mgie_engine.text.cleanup import remove_alter
from mgie_engine.text.prompting import IGNORED, Prompt
from tests.mgie_engine.parity.golden import golden, ids


@pytest.mark.parametrize("case", golden().section("prompts"), ids=ids)
def test_a_prompt_has_the_published_text_and_ids(case, prompter):
    prompter = replace(prompter, image_tokens=case["n_image_tokens"])
    text = prompter.text(Prompt(case["instruction"]))
    found = prompter.ids(Prompt(case["instruction"]))
    if "prompt" in case:
        assert text == case["prompt"]
        assert found == case["ids_slow"]
    else:
        assert hashlib.sha256(text.encode()).hexdigest() == case["prompt_sha256"]
        assert text.startswith(case["prompt_head"])
        assert len(found) == case["len_slow"]


@pytest.mark.parametrize(
    "case", [case for case in golden().section("prompts") if "decoded_slow" in case], ids=ids
)
def test_ids_decode_to_the_published_text(case, prompter):
    assert prompter.tokenizer.decode(case["ids_slow"]) == case["decoded_slow"]


@pytest.mark.parametrize("case", golden().section("labels"), ids=ids)
def test_a_training_text_has_the_published_ids_and_labels(case, numbers, prompter):
    prompter = replace(prompter, image_tokens=case["n_image_tokens"])
    example = prompter.example(Prompt(case["instruction"]), case["expressive"])
    assert example.ids == numbers.array("labels", str(case["idx"]), "input_ids").tolist()
    assert example.labels == numbers.array("labels", str(case["idx"]), "labels").tolist()
    supervised = sum(label != IGNORED for label in example.labels)
    assert (len(example.ids), supervised, supervised == 0) == (
        case["len"],
        case["n_supervised"],
        case["all_ignored"],
    )


@pytest.mark.parametrize("case", golden().section("remove_alter"), ids=lambda case: repr(case["input"])[:40])
def test_text_is_cut_as_published(case):
    if "output" in case:
        assert remove_alter(case["input"]) == case["output"]
    else:
        with pytest.raises(IndexError):
            remove_alter(case["input"])
