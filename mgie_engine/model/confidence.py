"""How sure the language model is of what it writes: the least probable token of what it says will change."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

_STAYS = re.compile(r"\bstays?\b")
_DIGITS = 4  # of a confidence: it is the same alone and in a batch, where sums differ in the seventh


class TokenChoice(NamedTuple):
    """One token of a greedy text."""

    token: int
    probability: float  # among the tokens that were allowed, 0 to 1
    second: int  # the most probable token but this one


class LeastSure(NamedTuple):
    """The place of the least probable token in what changes, and how probable it was."""

    place: int
    probability: float


def chosen(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of scores (B, V): the greedy token of every row, its probability, the second-best token; (B,) each."""
    token = scores.argmax(-1)
    at = token[:, None]
    probability = (scores.gather(1, at)[:, 0] - scores.logsumexp(-1)).exp()
    return token, probability, scores.scatter(1, at, -torch.inf).argmax(-1)


def least_sure(choices: Sequence[TokenChoice], decode: Callable[[Sequence[int]], str]) -> LeastSure | None:
    """Where what changes was least sure; None for no text. `choices` without what ends the text."""
    if not choices:
        return None
    length = _said_changes([choice.token for choice in choices], decode)
    place = min(range(length), key=lambda at: choices[at].probability)
    return LeastSure(place, round(choices[place].probability, _DIGITS))


def _said_changes(ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> int:
    """How many tokens say what changes: all sentences, but for a last one that says what stays."""
    ends = [at for at in range(1, len(ids)) if decode(ids[:at]).rstrip().endswith((".", "!", "?"))]
    if not ends or not _STAYS.search(decode(ids[ends[-1] :])):
        return len(ids)
    return ends[-1]
