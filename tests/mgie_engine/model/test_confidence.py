"""How sure the model is: the probability of what changes, the same alone and in company."""

import pytest
import torch

from mgie_engine.model.confidence import TokenChoice, chosen, sureness
from mgie_engine.model.cuda_graphs import Graphs
from mgie_engine.model.mgie import finish
from mgie_engine.model.shared_reading import SharedReader
from mgie_engine.model.static_decode import StaticDecoder
from mgie_engine.text.prompting import Prompt
from tests.support.tiny_model import model

WORDS = ["The", " ball", " is", " red", ".", " It", " stays", "."]
PIXELS = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
PROMPTS = [Prompt("make the ball blue"), Prompt("x"), Prompt("remove the small tree")]


def spell(ids) -> str:
    return "".join(WORDS[token] for token in ids)


def test_all_but_what_stays_counts():
    choices = [TokenChoice(token, 0.9 if token < 5 else 0.1, 0) for token in range(len(WORDS))]
    choices[2] = TokenChoice(2, 0.41239, 7)
    assert sureness(choices, spell) == (round(0.9**4 * 0.41239, 4), 2)
    assert sureness(choices[:2], spell) == (0.81, 0)
    assert sureness([], spell) is None
    two = [TokenChoice(token, 0.9, 0) for token in (0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7)]
    two[8], two[11] = TokenChoice(3, 0.5, 0), TokenChoice(6, 0.1, 0)
    assert sureness(two, spell) == (round(0.9**9 * 0.5, 4), 8)


def test_the_probability_is_that_of_the_tokens_that_are_allowed():
    scores = torch.tensor([[1.0, 3.0, 2.0, -torch.inf]])
    token, probability, second = chosen(scores)
    assert (token.tolist(), second.tolist()) == ([1], [2])
    torch.testing.assert_close(probability, scores.softmax(-1)[:, 1])


@torch.inference_mode()
def test_it_is_the_same_alone_in_a_batch_and_in_a_shared_decode():
    mgie = model(max_new_tokens=24)
    together = finish(mgie.reader.read(PIXELS, PROMPTS))
    decoder = StaticDecoder(mgie.mllm, Graphs(torch.device("cpu")), 8, 256, mgie.reader._rules().never, 3)
    shared = SharedReader(mgie.reader, decoder)
    for row, prompt in enumerate(PROMPTS):
        pixels = PIXELS[row : row + 1]
        (alone,) = finish(mgie.reader.read(pixels, [prompt]))
        joined = finish(shared.read(pixels, prompt))
        assert alone.confidence == pytest.approx(together[row].confidence, abs=2e-4)
        assert alone.confidence == pytest.approx(joined.confidence, abs=2e-4)
        assert alone.other_start == joined.other_start


@torch.inference_mode()
def test_a_given_reading_has_no_confidence():
    mgie = model(max_new_tokens=24)
    (thought,) = finish(mgie.reader.read(PIXELS[:1], [Prompt("x", reading="The ball is red.")]))
    assert (thought.confidence, thought.others) == (None, ())


@torch.inference_mode()
def test_a_mistyped_word_is_read_as_the_right_one_where_the_model_wants_that():
    typed, meant = Prompt("mkae the ball blue"), Prompt("make the ball blue")
    mgie = model(max_new_tokens=12, corrects_typos=True)
    decoder = StaticDecoder(mgie.mllm, Graphs(torch.device("cpu")), 8, 256, mgie.reader._rules().never, 3)
    shared = SharedReader(mgie.reader, decoder)
    (right,) = finish(mgie.reader.read(PIXELS[:1], [meant]))
    assert finish(mgie.reader.read(PIXELS[:1], [typed]))[0].ids == right.ids
    assert finish(shared.read(PIXELS[:1], typed)).ids == right.ids
    plain = model(max_new_tokens=12)
    assert plain.reader.spelt(typed) == typed
