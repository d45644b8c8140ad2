"""Whether a memory mode says the same as full precision: by its guidance, not by its words."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from mgie_engine.model.mgie import MGIE
from mgie_engine.text.prompting import Prompt

LEAST_COSINE = 0.98  # a mode below this is not offered; four bits reach 0.986 on random weights
PROMPTS = (
    Prompt("make the sky darker", reading="The sky turns dark, with heavy clouds."),
    Prompt("remove the small tree", reading="The small tree is gone and grass is in its place."),
)


def guidance(mgie: MGIE, picture: Image.Image, prompts: Sequence[Prompt] = PROMPTS) -> Tensor:
    """What a model tells its U-Net (P, 77, D), on the CPU in fp32.

    The readings are given: a greedy text that differs in one early word would hide how near the numbers are.
    """
    return torch.stack([mgie.read([picture], [prompt])[0].guidance.cpu() for prompt in prompts]).float()


def likeness(one: Tensor, other: Tensor) -> float:
    """The least cosine of the prompts' guidance (P, 77, D), each as one long vector."""
    cosines = F.cosine_similarity(one.flatten(1).double(), other.flatten(1).double())  # (P,)
    return float(cosines.min())
