"""Fewer visual tokens, and the instruction by itself, from texts written for the whole model."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mgie_engine.lab.training.objective import TextBatch
from mgie_engine.text.prompting import IGNORED, question
from mgie_engine.text.tokenizer import Tokenizer


def with_visual_tokens(texts: TextBatch, written: int, wanted: int) -> TextBatch:
    """Texts with the first `wanted` of their `written` visual tokens, then </s>; as wide as before."""
    if wanted == written:
        return texts
    place, last = torch.arange(texts.ids.shape[1], device=texts.ids.device), texts.states_at[:, None] + 1
    end = texts.ids.gather(1, last + written)
    here, beyond = place == last + wanted, place > last + wanted
    return replace(
        texts,
        ids=texts.ids.where(~here, end).masked_fill(beyond, 0),
        labels=texts.labels.where(~here, end).masked_fill(beyond, IGNORED),
        real=texts.real & ~beyond,
    )


def tokenizer_with(tokenizer: Tokenizer, visual_tokens: int) -> Tokenizer:
    """The tokenizer without the visual tokens from number `visual_tokens` on; the others keep their ids."""
    dropped = {f"[IMG{i}]" for i in range(visual_tokens, len(tokenizer.visual))}
    added = {token: i for token, i in tokenizer.added.items() if token not in dropped}
    return Tokenizer(tokenizer.pieces, added, visual_tokens)


def repeat_states(states: Tensor, wanted: int) -> Tensor:
    """The first `wanted` of states (B, N, D), repeated to N.

    To attention without position codes N/wanted copies of each are the same as one of each, so an edit head
    of N tokens trained so is an edit head of `wanted` tokens, in the same compiled graph.
    """
    count = states.shape[1]
    assert count % wanted == 0
    return states if count == wanted else states[:, :wanted].repeat(1, count // wanted, 1)


@dataclass(frozen=True, slots=True, eq=False)
class InstructionIds:
    """Extracts the last turn's instruction from prompts, without earlier turns and picture."""

    opening: Tensor  # (K,) ids of the prompt's text before an instruction, on the prompts' device
    begin: int
    end: int
    room: int  # ids per instruction: the length of the U-Net's context

    @classmethod
    def of(cls, tokenizer: Tokenizer, room: int, device: torch.device | str = "cpu") -> "InstructionIds":
        opening = tokenizer.encode_plain(question("").removesuffix(" ''"))
        return cls(torch.tensor(opening, device=device), tokenizer.begin, tokenizer.end, room)

    def __call__(self, ids: Tensor, picture_at: Tensor) -> Tensor:
        """(B, room) of prompts' ids (B, L) with their first patch at picture_at (B,): <s>, words, </s> …"""
        found = (ids.unfold(1, len(self.opening), 1) == self.opening).all(-1)  # (B, L - K + 1)
        place = torch.arange(ids.shape[1], device=ids.device)
        before = found & (place[: found.shape[1]] < picture_at[:, None])
        first = (before * place[: found.shape[1]]).amax(1) + len(self.opening)
        at = first[:, None] + torch.arange(self.room - 1, device=ids.device)
        words = ids.gather(1, at.clamp(max=ids.shape[1] - 1))
        words = words.where(at < picture_at[:, None] - 1, self.end)  # <im_start> is before the first patch
        return torch.cat([torch.full_like(words[:, :1], self.begin), words], dim=1)
