"""A variant: its input, the losses that train its language model, and its number of visual tokens.

Everything else (data, order of batches, noise, steps, initial weights) is the same for all.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mgie_engine.errors import ModelError
from mgie_engine.lab.training.recipe import Recipe

PARTS = ("vae", "mllm", "unet")  # starting weights of all variants; without "unet" it starts at random
INSTRUCTION, EDIT = "instruction", "edit"  # the two losses of `mgie_engine.lab.training.objective`


@dataclass(frozen=True, slots=True)
class Variant:
    """One model of the comparison."""

    name: str  # of its folder
    title: str  # for people
    taught_by: tuple[str, ...]  # the losses that reach the language model; none: it stays frozen
    sees: bool = True  # False: its language model is shown a blank picture, whatever the true one is
    speaks: bool = True  # False: the instruction's states go straight to the cross-attention
    visual_tokens: int = 8

    @classmethod
    def of(cls, name: str, data: dict[str, Any]) -> "Variant":
        """A variant from a recipe or variant.json; ModelError for unknown values."""
        try:
            variant = cls(name, **data | {"taught_by": tuple(data["taught_by"])})
        except (KeyError, TypeError) as error:
            raise ModelError(f"The variant {name!r} cannot be read: {error}.") from error
        if unknown := set(variant.taught_by) - {INSTRUCTION, EDIT}:
            raise ModelError(f"The variant {name!r} is taught by {min(unknown)!r}, which is no loss.")
        return variant


def variants(recipe: Recipe, chosen: Collection[str] = ()) -> tuple[Variant, ...]:
    """The variants of a recipe in its order, or those chosen; ModelError for a name it does not have."""
    data = recipe.options["variants"]
    if unknown := set(chosen) - data.keys():
        raise ModelError(f"There is no variant {min(unknown)!r}; there are {', '.join(data)}.")
    return tuple(Variant.of(name, what) for name, what in data.items() if not chosen or name in chosen)
