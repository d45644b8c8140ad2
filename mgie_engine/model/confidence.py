"""How sure the language model is of what it writes: the probability of all that it says will change."""

import re
from collections.abc import Callable, Sequence
from math import prod
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


class Sureness(NamedTuple):
    """How probable the tokens of what changes are, all together, and the place of the least probable one."""

    probability: float
    least_sure: int


def chosen(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of scores (B, V): the greedy token of every row, its probability, the second-best token; (B,) each."""
    token = scores.argmax(-1)
    at = token[:, None]
    probability = (scores.gather(1, at)[:, 0] - scores.logsumexp(-1)).exp()
    return token, probability, scores.scatter(1, at, -torch.inf).argmax(-1)


def sureness(choices: Sequence[TokenChoice], decode: Callable[[Sequence[int]], str]) -> Sureness | None:
    """How sure what changes is; None for no text. `choices` without what ends the text."""
    if not choices:
        return None
    length = _said_changes([choice.token for choice in choices], decode)
    probabilities = [choice.probability for choice in choices[:length]]
    return Sureness(round(prod(probabilities), _DIGITS), probabilities.index(min(probabilities)))


def _said_changes(ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> int:
    """How many tokens say what changes: all sentences, but for a last one that says what stays."""
    ends = [at for at in range(1, len(ids)) if decode(ids[:at]).rstrip().endswith((".", "!", "?"))]
    if not ends or not _STAYS.search(decode(ids[ends[-1] :])):
        return len(ids)
    return ends[-1]
