"""The knobs of one edit, and how layers of wishes become one setting.

Wishes are layered call > session > person > channel > bot: for each knob the first layer that names it wins.
"""

from dataclasses import dataclass, fields
from typing import Literal

Sampler = Literal["euler_ancestral", "dpmpp_2m"]
Keep = Literal["auto", "strict", "off"]


@dataclass(frozen=True, slots=True)
class EditSettings:
    """Settings as an edit uses them: nothing left open."""

    text_cfg: float  # text guidance scale s_T, 1 to 20
    image_cfg: float  # image guidance scale s_I, 0 to 5
    steps: int  # denoising steps, 1 to 200
    seed: int  # 0 to 2**32 - 1
    sampler: Sampler
    keep: Keep = "auto"  # how much of the original is put back where nothing was asked to change


@dataclass(frozen=True, slots=True)
class SettingsWish:
    """Settings as somebody wishes them: None leaves the knob to the next layer."""

    text_cfg: float | None = None
    image_cfg: float | None = None
    steps: int | None = None
    seed: int | None = None
    sampler: Sampler | None = None
    keep: Keep | None = None

    def over(self, lower: "SettingsWish") -> "SettingsWish":
        """This wish where it speaks, `lower` where it is silent."""
        chosen = {}
        for knob in fields(self):
            mine = getattr(self, knob.name)
            chosen[knob.name] = getattr(lower, knob.name) if mine is None else mine
        return SettingsWish(**chosen)
