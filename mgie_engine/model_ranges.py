"""Types and ranges of the numbers in a model's configuration.

They are far beyond any model, and small enough that networks of these sizes are built, without weights, in
seconds: a file must not choose how long a start takes.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

STRICT = ConfigDict(strict=True, extra="forbid")  # no "8" for 8, no true for 1, no unknown keys

Width = Annotated[int, Field(ge=1, le=65_536)]  # features of a layer
Length = Annotated[int, Field(ge=1, le=1_000_000)]  # rows of a vocabulary, positions
Layers = Annotated[int, Field(ge=1, le=200)]
Side = Annotated[int, Field(ge=1, le=4096)]  # pixels
Real = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Colour = Annotated[tuple[Real, ...], Field(min_length=3, max_length=3)]
Name = Annotated[str, Field(max_length=100), AfterValidator(lambda text: _printable(text))]
Text = Annotated[str, Field(max_length=200)]
Arguments = Annotated[Mapping[str, Any], Field(max_length=100), AfterValidator(lambda given: _bounded(given))]

_MOST_NUMBER = 65_536
_MOST_LAYERS = 16  # of one block
_MOST_BLOCKS = 16
_POSITIVE = {"scaling_factor", "latent_channels", "in_channels", "out_channels", "norm_num_groups"}


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("line breaks and control characters are not allowed")
    return text


def _bounded(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments of a network of diffusers: plain values and short lists of them."""
    for name, value in given.items():
        most = _MOST_LAYERS if name.endswith(("layers_per_block", "_kernel")) else _MOST_NUMBER
        _check(name[:50], value, most)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _POSITIVE and value is not None and not (is_number and value > 0):
            raise ValueError(f"{name} must be above 0")
    return given


def _check(name: str, value: Any, most: float, depth: int = 0) -> None:
    match value:
        case None | bool():
            return
        case int() | float() if math.isfinite(value) and -most <= value <= most:
            return
        case str() if len(value) <= 100 and value.isprintable():
            return
        case list() | tuple() if len(value) <= _MOST_BLOCKS and depth < 2:
            for part in value:
                _check(name, part, most, depth + 1)
            return
    raise ValueError(f"{name} has a value that no network has")
