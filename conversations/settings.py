"""The settings of one edit, and how layers of overrides combine into them.

Layers, highest priority first: call, session, user, channel, bot. Each setting comes from the first layer
that names it.
"""

from dataclasses import asdict, dataclass, fields, replace
from functools import reduce
from typing import Any, Literal, NamedTuple, get_args

from conversations.errors import SettingsRefused
from conversations.messages import Message

Sampler = Literal["euler_ancestral", "dpmpp_2m"]
Keep = Literal["auto", "strict", "off"]
Ask = Literal["on", "off"]
SettingsLayer = Literal["call", "session", "user", "channel", "bot"]
Auto = Literal["auto"]  # of a guidance scale: chosen for each edit from its image and instruction

AUTO: Auto = "auto"
GUIDANCE = ("text_cfg", "image_cfg")

RANGES: dict[str, tuple[float, float]] = {
    "text_cfg": (1, 20),
    "image_cfg": (0, 5),
    "steps": (1, 200),
    "seed": (0, 2**32 - 1),
    "degree": (0.2, 4),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "sampler": get_args(Sampler),
    "keep": get_args(Keep),
    "ask": get_args(Ask),
}


@dataclass(frozen=True, slots=True)
class EditSettings:
    """The settings an edit runs with; every value is known."""

    text_cfg: float  # text guidance scale s_T, 1 to 20
    image_cfg: float  # image guidance scale s_I, 0 to 5
    steps: int  # denoising steps, 1 to 200
    seed: int  # 0 to 2**32 - 1
    sampler: Sampler
    keep: Keep = "auto"  # how much of the input image is restored outside the edited area
    degree: float = 1.0  # factor on an edit that one change of tone tells, 0.2 to 4; others ignore it
    ask: Ask = "off"  # whether a doubtful reading ends the edit with a question, see `EditResult.doubt`


@dataclass(frozen=True, slots=True)
class SettingsOverride:
    """The settings one layer names. None means: not named here, use the next layer."""

    text_cfg: float | Auto | None = None
    image_cfg: float | Auto | None = None
    steps: int | None = None
    seed: int | None = None
    sampler: Sampler | None = None
    keep: Keep | None = None
    degree: float | None = None  # set by variations; without it `resolve` takes it from the scales
    ask: Ask | None = None

    def merged_over(self, lower: "SettingsOverride") -> "SettingsOverride":
        """The settings named here, and those of `lower` for the rest."""
        return SettingsOverride(**{**lower.explicit(), **self.explicit()})

    def explicit(self) -> dict[str, Any]:
        """The settings named here, by name."""
        return {setting: value for setting, value in asdict(self).items() if value is not None}

    @property
    def auto_scales(self) -> tuple[str, ...]:
        """The names of the guidance scales set to "auto"."""
        return tuple(setting for setting in GUIDANCE if getattr(self, setting) == AUTO)

    def with_guidance(self, text_cfg: float, image_cfg: float) -> "SettingsOverride":
        """The same override, with these numbers in place of every "auto"."""
        numbers = {"text_cfg": text_cfg, "image_cfg": image_cfg}
        return replace(self, **{setting: numbers[setting] for setting in self.auto_scales})  # type: ignore[arg-type]


class GridCell(NamedTuple):
    """What one cell of a grid tries; None: as the edit has it."""

    text_cfg: float | None = None
    image_cfg: float | None = None
    seed: int | None = None

    def applied(self, settings: EditSettings) -> EditSettings:
        """The settings of the cell, of an edit with these settings."""
        if self.seed is not None:
            return replace(settings, seed=self.seed)
        assert self.text_cfg is not None
        assert self.image_cfg is not None
        cell = replace(settings, text_cfg=self.text_cfg, image_cfg=self.image_cfg)
        return with_derived_degree(cell, settings)


@dataclass(frozen=True, slots=True)
class Grid:
    """What to try side by side: a column per text CFG and a row per image CFG, or, in two columns, seeds."""

    text_cfg: tuple[float, ...] = ()
    image_cfg: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()

    @property
    def cells(self) -> tuple[GridCell, ...]:
        """Every cell, row by row."""
        if self.seeds:
            return tuple(GridCell(seed=seed) for seed in self.seeds)
        return tuple(GridCell(text, image) for image in self.image_cfg for text in self.text_cfg)

    @property
    def columns(self) -> int:
        """How many cells are in a row."""
        return 2 if self.seeds else len(self.text_cfg)


@dataclass(frozen=True, slots=True)
class MadeCell:
    """The picture of one cell of a grid, at full size: its ImageStore key, and what came of it."""

    image: str
    settings: EditSettings
    changed: float | None = None


def seeds_from(first: int, count: int) -> Grid:
    """A grid of so many seeds, beginning with `first`."""
    return Grid(seeds=tuple((first + number) % (int(RANGES["seed"][1]) + 1) for number in range(count)))


NO_OVERRIDE = SettingsOverride()
SETTING_NAMES = tuple(setting.name for setting in fields(SettingsOverride) if setting.name != "degree")
DERIVED_DEGREES = 0.4, 2.5  # least and most that guidance scales stand for


def merged(*layers: SettingsOverride) -> SettingsOverride:
    """The settings that any of the layers names; the first that names one holds."""
    return reduce(SettingsOverride.merged_over, layers, NO_OVERRIDE)


def resolve(bot: EditSettings, *layers: SettingsOverride) -> EditSettings:
    """The settings to use, of layers as for `merged`. A guidance scale on "auto" gets the value of `bot`."""
    override = merged(*layers).with_guidance(bot.text_cfg, bot.image_cfg)
    settings = EditSettings(**{**asdict(bot), **override.explicit()})
    return settings if override.degree is not None else with_derived_degree(settings, bot)


def with_derived_degree(settings: EditSettings, usual: EditSettings) -> EditSettings:
    """The settings with the degree that their guidance scales stand for, beside the `usual` ones.

    A model paints a change of tone much the same under all scales. So the degree follows the words with the
    text scale, and the picture with the image scale.
    """
    least, most = DERIVED_DEGREES
    more_text = settings.text_cfg / usual.text_cfg
    less_image = usual.image_cfg / settings.image_cfg if settings.image_cfg else 1.0
    degree = usual.degree * more_text * less_image
    return replace(settings, degree=round(min(max(degree, least), most), 3))


def origins(layers: dict[SettingsLayer, SettingsOverride]) -> dict[str, SettingsLayer]:
    """The layer that `resolve` takes each setting from, by name of the setting."""
    origin: dict[str, SettingsLayer] = dict.fromkeys(SETTING_NAMES, "bot")
    for layer, override in reversed(layers.items()):
        origin.update(dict.fromkeys(override.explicit(), layer))
    return origin


def checked(override: SettingsOverride) -> SettingsOverride:
    """The same override. Raises SettingsRefused if a value is out of range; never clamps."""
    for setting, value in override.explicit().items():
        name = Message(f"setting.{setting}")
        if setting in CHOICES and value not in CHOICES[setting]:
            choices = tuple(CHOICES[setting])
            raise SettingsRefused(
                f"{setting} must be one of {', '.join(choices)}, not {value}",
                Message("setting_choice", setting=name, choices=choices, value=str(value)),
            )
        if setting in RANGES and value != AUTO and not RANGES[setting][0] <= value <= RANGES[setting][1]:
            low, high = RANGES[setting]
            raise SettingsRefused(
                f"{setting} must be between {low:g} and {high:.10g}, not {value:.10g}",
                Message("setting_range", setting=name, low=low, high=high, value=value),
            )
    return override
