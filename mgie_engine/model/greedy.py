"""Greedy continuation of prompts with pictures, several at once, with one key/value cache.

Rows are padded on the left, so that they all end at the same place. A row that has stopped stays in the
batch: what is fed to it from then on is marked as not real and never attended to.
"""

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mgie_engine.model.confidence import TokenChoice, chosen
from mgie_engine.model.mllm import MLLM, causal_mask


@dataclass(frozen=True, slots=True)
class WritingRules:
    """When writing ends and what may not be written."""

    limit: int  # tokens at most
    stops: frozenset[int]  # a row ends with the first of these
    never: tuple[int, ...] = ()  # tokens that are not chosen
    no_repeat_ngram: int = 3  # 0 allows repeats


class Rows:
    """B prompts being continued; `picture_at` (B,) counts from the start of each unpadded row."""

    def __init__(
        self, mllm: MLLM, prompts: Sequence[Sequence[int]], pixels: Tensor, picture_at: Sequence[int]
    ) -> None:
        self.mllm = mllm
        self.prompts = prompts
        self.device = pixels.device
        longest = max(map(len, prompts))
        self.padding = [longest - len(prompt) for prompt in prompts]
        self.last = torch.empty(0)  # (B, D), the state of each row's last real token
        self.trace: list[Tensor] = []  # (B, T, D) for every feed so far
        self._past: Any = None
        self._real = torch.ones(len(prompts), 0, dtype=torch.bool, device=self.device)
        self._ragged = False
        ids = self._tensor(
            [[0] * pad + list(prompt) for pad, prompt in zip(self.padding, prompts, strict=True)]
        )
        places = self._tensor([pad + at for pad, at in zip(self.padding, picture_at, strict=True)])
        real = torch.arange(longest, device=self.device) >= self._tensor(self.padding)[:, None]
        self._feed(mllm.embed(ids, mllm.patches(pixels), places), real, any(self.padding))

    def feed(self, tokens: Sequence[Sequence[int]], live: Sequence[bool]) -> Tensor:
        """The states (B, T, D) of tokens (B, T) put after the rows; rows that do not live only look on."""
        ids = self._tensor(tokens)
        real = self._tensor(live)[:, None].expand(ids.shape)
        return self._feed(self.mllm.model.embed_tokens(ids), real, not all(live))

    def states(self, row: int, count: int) -> Tensor:
        """The first `count` states (count, D) of a row's own tokens, prompt first."""
        start = self.padding[row]
        return torch.cat([part[row] for part in self.trace])[start : start + count]

    def _feed(self, embeddings: Tensor, real: Tensor, ragged: bool) -> Tensor:
        count = embeddings.shape[1]
        self._real = torch.cat([self._real, real], dim=1)
        self._ragged |= ragged
        positions = (self._real.cumsum(1) - 1)[:, -count:].clamp(min=0)
        mask = causal_mask(self._real, count) if self._ragged or self._continues(count) else None
        read = self.mllm.read(embeddings, mask, positions, self._past)
        self._past = read.past
        self.trace.append(read.states)
        ends = read.states[:, -1]
        self.last = ends if len(self.trace) == 1 else torch.where(real[:, -1:], ends, self.last)
        return read.states

    def _continues(self, count: int) -> bool:
        """Whether several tokens follow a cache: no default mask is right for that."""
        return 1 < count < self._real.shape[1]

    def _tensor(self, values: Sequence[Any]) -> Tensor:
        return torch.tensor(values, device=self.device)


def write(rows: Rows, rules: WritingRules) -> Generator[None, None, list[list[TokenChoice]]]:
    """Continue every row greedily until it stops; yields after each token.

    Returns the tokens written, stops included. Every token but a stop has been fed by then.
    """
    written: list[list[TokenChoice]] = [[] for _ in rows.prompts]
    memories = [Memory(prompt, rules.no_repeat_ngram) for prompt in rows.prompts]
    live = [True] * len(written)
    for _ in range(rules.limit):
        choices = _choose(rows, memories, rules.never)
        for row, choice in enumerate(choices):
            if live[row]:
                written[row].append(choice)
                memories[row].add(choice.token)
                live[row] = choice.token not in rules.stops
        if not any(live):
            break
        rows.feed([[choice.token] for choice in choices], live)
        yield
    return written


def _choose(rows: Rows, memories: Sequence["Memory"], never: Sequence[int]) -> list[TokenChoice]:
    scores = rows.mllm.lm_head(rows.last).float()  # (B, V)
    scores[:, list(never)] = -torch.inf
    for row, memory in enumerate(memories):
        scores[row, list(memory.repeats())] = -torch.inf
    return [TokenChoice(*choice) for choice in zip(*(part.tolist() for part in chosen(scores)), strict=True)]


class Memory:
    """Which tokens would make a run of n tokens that was there before."""

    def __init__(self, ids: Sequence[int], n: int) -> None:
        self._n = n
        self._followers: defaultdict[tuple[int, ...], set[int]] = defaultdict(set)
        self._run: tuple[int, ...] = ()  # the last n - 1 tokens
        for token in ids:
            self.add(token)

    def add(self, token: int) -> None:
        """Remember one more token at the end."""
        if len(self._run) == self._n - 1:
            self._followers[self._run].add(token)
        self._run = (*self._run, token)[1 - self._n :] if self._n > 1 else ()

    def repeats(self) -> set[int]:
        """The tokens that must not come next."""
        return self._followers.get(self._run, set())
