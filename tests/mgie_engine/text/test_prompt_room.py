"""How much of a model's context a prompt takes, and what is left out where it is too much."""

import pytest

from mgie_engine.config import BUNDLED, ModelConfig, ModelLocation, read_config
from mgie_engine.edits import Exchange
from mgie_engine.text.prompt_room import fitting_chars, surplus_tokens, with_room
from mgie_engine.text.prompting import Prompt, Prompter
from mgie_engine.text.tokenizer import Tokenizer

MINI = ModelLocation("mgie-mini", BUNDLED / "mgie-mini", "ours")
LONG = Exchange("make the ball red and " * 28, "The ball is red. " * 28)
SHORT = Exchange("make it darker", "The scene is dark.")


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return read_config(MINI)


@pytest.fixture(scope="module")
def prompter(config: ModelConfig) -> Prompter:
    return Prompter(Tokenizer.read(MINI.folder, 8), config.vision.tokens, config.history_turns)


def test_the_oldest_exchanges_are_left_out_until_the_prompt_fits(
    prompter: Prompter, config: ModelConfig
) -> None:
    asked = Prompt("now make it blue", (LONG, LONG, SHORT))
    assert surplus_tokens(Prompt("now make it blue", (LONG, LONG)), prompter, config) > 0
    fitted = with_room(asked, prompter, config)
    assert fitted.history[-1] == SHORT
    assert surplus_tokens(fitted, prompter, config) <= 0


def test_a_prompt_that_fits_stays_as_it_is(prompter: Prompter, config: ModelConfig) -> None:
    asked = Prompt("now make it blue", (SHORT,))
    assert with_room(asked, prompter, config) == asked


@pytest.mark.parametrize("text", ["🎈" * 400, "make it red " * 160, "ü" * 2000])
def test_what_the_model_has_no_room_for_is_said_in_characters(
    text: str, prompter: Prompter, config: ModelConfig
) -> None:
    length = fitting_chars(MINI)(text)
    assert 0 < length < len(text)
    assert surplus_tokens(Prompt(text[:length]), prompter, config) <= 0
    assert surplus_tokens(Prompt(text[: length + 1]), prompter, config) > 0


def test_a_text_with_room_fits_as_a_whole() -> None:
    assert fitting_chars(MINI)("make the sky darker") == 19
