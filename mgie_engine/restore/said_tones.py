"""Tones that the expressive instruction names, carried out by their definitions at full size.

"The left half gets darker. The rest stays." names an operation, its degree and where, and `tones.py` defines
it exactly. So where every change that is said is of that kind, what is said is carried out, and nothing is
painted: a painting is an estimate of the same. What depends on the pixels around (a blur) is fitted to one.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

import torch
from torch import Tensor

from conversations.settings import Keep
from mgie_engine.restore.region_masks import REGIONS, REST, WHOLE, no_layers, said_subject
from mgie_engine.restore.tones import STRENGTHS, TONES, UNGRADED, ToneSpec

_EXACT = frozenset(
    {
        "brighter", "darker", "contrast", "flat", "vivid", "muted", "warm", "cool", "magenta", "green",
        "sepia", "invert", "night", "faded", "moody", "teal_orange", "golden", "winter", "haze",
        "grey", "white_balance", "auto",
    }
    | {name for name in TONES if name.startswith("to_")}
)  # fmt: skip
_WHOLE, _THINGS = "The whole picture ", "All things stay where they are."
_VERBS = re.compile(r" and (?=gets|takes|turns|fades)")


@cache
def effects() -> Mapping[str, Sequence[str]]:
    """What is said of every tone: a little, plainly, much."""
    return tomllib.loads((Path(__file__).parent / "effects.toml").read_text("utf-8"))


@lru_cache(maxsize=256)
def said_tones(expressive: str, degree: float = 1.0, keep: Keep = "auto") -> tuple[ToneSpec, ...]:
    """The tones that an expressive instruction names, in order, with their strengths times `degree`.

    Where there are any they are all of the edit, and it needs no painting. Empty unless all that is said to
    change can be computed for each pixel, and in a region of `EXACT` or the whole picture; and with keep
    "off", which asks for the painting itself.
    """
    if keep == "off":
        return ()
    found = list(_specs(expressive.strip()))
    if not found or None in found:
        return ()
    specs = [spec for spec in found if spec]
    if degree != 1 and any(spec.name in UNGRADED for spec in specs):
        return ()
    return tuple(spec._replace(strength=spec.strength * degree) for spec in specs)


def _specs(expressive: str) -> Iterator[ToneSpec | None]:
    if expressive.startswith(_WHOLE) and expressive.endswith(f". {_THINGS}"):
        said = expressive.removeprefix(_WHOLE).removesuffix(f". {_THINGS}")
        yield from (_spec(effect, WHOLE) for effect in _VERBS.split(said))
    elif expressive.endswith(f". {REST}"):
        for sentence in expressive.removesuffix(f" {REST}").removesuffix(".").split(". "):
            if sentence.startswith(_WHOLE):
                yield _spec(sentence.removeprefix(_WHOLE), WHOLE)
            else:
                region, effect = said_subject(sentence)
                yield _spec(effect, region) if region else None


def _spec(effect: str, region: str) -> ToneSpec | None:
    for name in _EXACT:
        for strength, said in zip(STRENGTHS.values(), effects()[name], strict=True):
            verb, _, rest = said.partition(" ")
            if effect in (said, f"{verb.removesuffix('s')} {rest}"):
                return ToneSpec(name, 1.0 if name in UNGRADED else strength, region)
    return None


def tones_blend(sharp: Tensor, tones: Sequence[ToneSpec]) -> Tensor:
    """Where the tones act on a small picture (3, S, S), (S, S) in [0, 1]."""
    picture = (sharp / 255).clamp(0, 1)[None]
    left = torch.ones(sharp.shape[1:])
    for spec in tones:
        left = left * (1 - REGIONS[spec.region](picture, no_layers(picture))[0, 0])
    return 1 - left
