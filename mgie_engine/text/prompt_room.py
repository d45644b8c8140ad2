"""How much of a model's context a prompt takes. Imports no torch, so a chat can say it before queueing."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from mgie_engine.config import ModelConfig, ModelLocation, read_config
from mgie_engine.text.prompting import Prompt, Prompter
from mgie_engine.text.tokenizer import Tokenizer


def surplus_tokens(prompt: Prompt, prompter: Prompter, config: ModelConfig) -> int:
    """By how many tokens a prompt and what the model writes exceed its context; at most 0 if they fit."""
    reading = len(prompter.tokenizer.encode_plain(prompt.reading.strip())) if prompt.reading else 0
    written = max(config.max_new_tokens, reading) + len(prompter.tokenizer.visual)
    return len(prompter.ids(prompt)) + written - config.language.max_positions


def with_room(prompt: Prompt, prompter: Prompter, config: ModelConfig) -> Prompt:
    """The prompt with as many of its newest exchanges as the context holds."""
    history = prompt.history[-prompter.history_turns :] if prompter.history_turns else ()
    prompt = replace(prompt, history=history)
    while prompt.history and surplus_tokens(prompt, prompter, config) > 0:
        prompt = replace(prompt, history=prompt.history[1:])
    return prompt


def fitting_chars(location: ModelLocation) -> Callable[[str], int]:
    """How many characters of an instruction a model has room for: all of a text that fits.

    A model whose tokenizer is not in its own folder is taken to have room for any.
    """
    if not (location.folder / "tokenizer.model").is_file():
        return len
    config = read_config(location)
    tokenizer = Tokenizer.read(location.folder, config.edit_head.visual_tokens)
    prompter = Prompter(tokenizer, config.vision.tokens, config.history_turns)

    def fits(text: str) -> bool:
        return surplus_tokens(Prompt(text), prompter, config) <= 0

    def fitting(text: str) -> int:
        if fits(text):
            return len(text)
        return bisect_left(range(1, len(text)), True, key=lambda length: not fits(text[:length]))

    return fitting
