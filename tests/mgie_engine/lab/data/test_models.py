"""The two language models of the preparation, tiny and random."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from mgie_engine.errors import ModelError
from mgie_engine.lab.data.describer import Llava, load_llava, of_mgie
from mgie_engine.lab.data.summariser import Seq2Seq, load_summariser
from tests.support import tiny_model
from tests.support.tiny_data import llava_folder, t5_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LLaVA in llava/, a summariser in t5/."""
    folder = tmp_path_factory.mktemp("models")
    llava_folder(folder / "llava")
    t5_folder(folder / "t5")
    return folder


@pytest.fixture(scope="module")
def llava(folder: Path) -> Llava:
    return load_llava(folder / "llava", None, "cpu", torch.float32)


@pytest.fixture(scope="module")
def summariser(folder: Path) -> Seq2Seq:
    return load_summariser(str(folder / "t5"), "cpu", torch.float32)


def pictures(*colours: str) -> list[Image.Image]:
    return [Image.new("RGB", (40, 30), colour) for colour in colours]


def saying(text: str) -> Llava:
    """A model that says this about one picture."""
    model = of_mgie(tiny_model.model())
    head = tiny_model.Says(tiny_model.tokenizer().encode_plain(text))
    model.mllm.lm_head = head  # type: ignore[assignment]
    return model


def test_the_question_is_the_releases(llava: Llava):
    asked = llava.prompt("be red")
    picture = "<im_start>" + "<im_patch>" * 4 + "<im_end>"
    assert asked.endswith(
        f"USER: what will this image be like if 'be red'  (in a short paragraph)\n{picture} ASSISTANT:"
    )


def test_side_by_side_is_as_one_by_one(llava: Llava):
    llava = replace(llava, limit=80)
    asked = ["make the ball blue", "remove"]
    said = llava.describe(pictures("red", "blue"), asked)
    alone = [llava.describe(pictures(c), [a])[0] for c, a in zip(("red", "blue"), asked, strict=True)]
    assert said == alone
    assert all(said)


def test_only_the_first_two_sentences_stay():
    model = saying("the ball is red. the sky is blue. the tree turns dark.")
    assert model.describe(pictures("red"), ["x"]) == ["the ball is red.the sky is blue."]


def test_repeats_are_allowed():
    model = saying("red red red red red red")
    assert model.describe(pictures("red"), ["x"]) == ["red red red red red red."]


def test_silence_leaves_the_instruction():
    assert saying("").describe(pictures("red"), ["be red"]) == ["be red"]


def test_a_model_without_room_to_answer_says_so(llava: Llava):
    cramped = replace(llava, sizes=replace(llava.sizes, max_positions=20))
    with pytest.raises(ModelError, match="no room to answer"):
        cramped.describe(pictures("red"), ["x"])


def test_a_missing_tensor_is_named(folder: Path, tmp_path: Path):
    for file in (folder / "llava").glob("*.*"):
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelError, match="has no tensor for"):
        load_llava(tmp_path, None, "cpu", torch.float32)


def test_a_missing_tower_is_named(folder: Path):
    with pytest.raises(ModelError, match="CLIP tower"):
        load_llava(folder / "llava", str(folder / "nothing"), "cpu", torch.float32)


def test_summaries_have_5_to_64_tokens_and_no_repeats(summariser: Seq2Seq):
    said = summariser.summarise(["the ball is red", "blue"])
    for text in said:
        words = text.split()
        assert len(words) <= 64
        assert len(set(zip(words, words[1:], words[2:], strict=False))) == max(0, len(words) - 2)
    assert said == summariser.summarise(["the ball is red", "blue"])


def test_a_models_own_settings_for_summaries_are_used(tmp_path: Path):
    tasks = {"summarization": {"prefix": "summarize: ", "length_penalty": 2.0, "min_length": 30}}
    taught = load_summariser(
        str(t5_folder(tmp_path, task_specific_params=tasks)), "cpu", torch.float32
    ).taught
    assert taught == tasks["summarization"]


def test_a_missing_summariser_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match="summariser"):
        load_summariser(str(tmp_path), "cpu", torch.float32)
