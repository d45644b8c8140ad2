"""InstructPix2Pix at the small model's size: the states of the instruction's words are the guidance.

The text encoder is the LLaMA of the first stage, which stands for CLIP's pretrained one; unlike CLIP's it is
trained with the U-Net. It sees no picture and no earlier turn, and writes no expressive instruction.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from mgie_engine.config import EditHeadSizes
from mgie_engine.lab.variants.tokens import InstructionIds
from mgie_engine.model.instruction import Reader, Thinking, Thought
from mgie_engine.model.mllm import MLLM
from mgie_engine.text.prompting import Prompt


class WordHead(nn.Module):
    """Replaces the edit head: one linear layer, and learned states for "no instruction"."""

    def __init__(self, sizes: EditHeadSizes, hidden_size: int) -> None:
        super().__init__()
        self.hid2feat = nn.Linear(hidden_size, sizes.out_dim)
        self.nothing = nn.Parameter(torch.randn(1, sizes.queries, hidden_size) * 0.02)

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """Guidance (B, 77, out) of words' states (B, 77, hidden)."""
        return cast(Tensor, self.hid2feat(states))

    def null(self, embeddings: Tensor) -> Tensor:
        """The guidance that means "no instruction": (1, 77, out)."""
        return cast(Tensor, self.hid2feat(self.nothing))


class WordEncoder(nn.Module):
    """A language model as the encoder of instructions alone."""

    def __init__(self, mllm: MLLM) -> None:
        super().__init__()
        self.mllm = mllm

    def forward(self, ids: Tensor) -> Tensor:
        """States (B, 77, D) of ids (B, 77), each of what stands up to it."""
        return self.mllm.read(self.mllm.model.embed_tokens(ids)).states


@dataclass(frozen=True)
class WordReader(Reader):
    """Reads the last instruction and nothing else."""

    def read(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """One thought per prompt, without words; its states are (77, D)."""
        tokenizer = self.prompter.tokenizer
        instruction = InstructionIds.of(tokenizer, self.config.edit_head.queries)
        rows = [self.prompter.ids(Prompt(prompt.instruction)) for prompt in prompts]
        at = torch.tensor([row.index(tokenizer.picture_start) + 1 for row in rows])
        padded = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        states = WordEncoder(self.mllm)(instruction(padded, at).to(pixels.device))
        yield
        return [Thought([], row) for row in states]


@dataclass(frozen=True)
class BlankReader(Reader):
    """Reads with a blank picture in the place of every picture."""

    def read(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """As any reader, but the true pixels are replaced by zeros."""
        blank: Generator[None, None, list[Thought]] = super().read(torch.zeros_like(pixels), prompts)
        return (yield from blank)
