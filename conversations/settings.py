"""The knobs of one edit, and how layers of wishes become one setting.

Wishes are layered call > session > person > channel > bot: for each knob the first layer that names it wins.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from conversations.errors import SettingsRefused

Sampler = Literal["euler_ancestral", "dpmpp_2m"]
Keep = Literal["auto", "strict", "off"]
Scope = Literal["call", "session", "person", "channel", "bot"]
Auto = Literal["auto"]  # for a guidance scale: chosen for each edit from its picture and its words

AUTO: Auto = "auto"
GUIDANCE = ("text_cfg", "image_cfg")

RANGES: dict[str, tuple[float, float]] = {
    "text_cfg": (1, 20),
    "image_cfg": (0, 5),
    "steps": (1, 200),
    "seed": (0, 2**32 - 1),
}
CHOICES: dict[str, tuple[str, ...]] = {"sampler": get_args(Sampler), "keep": get_args(Keep)}


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

    text_cfg: float | Auto | None = None
    image_cfg: float | Auto | None = None
    steps: int | None = None
    seed: int | None = None
    sampler: Sampler | None = None
    keep: Keep | None = None

    def over(self, lower: "SettingsWish") -> "SettingsWish":
        """This wish where it speaks, `lower` where it is silent."""
        return SettingsWish(**{**lower.spoken(), **self.spoken()})

    def spoken(self) -> dict[str, Any]:
        """The knobs this wish names, by name."""
        return {knob: value for knob, value in asdict(self).items() if value is not None}

    @property
    def on_auto(self) -> tuple[str, ...]:
        """The guidance scales this wish leaves to advice, by name."""
        return tuple(knob for knob in GUIDANCE if getattr(self, knob) == AUTO)

    def advised(self, text_cfg: float, image_cfg: float) -> "SettingsWish":
        """This wish with these numbers in the place of every "auto"."""
        numbers = {"text_cfg": text_cfg, "image_cfg": image_cfg}
        return replace(self, **{knob: numbers[knob] for knob in self.on_auto})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Grid:
    """Guidance scales to try side by side: a column per text CFG, a row per image CFG."""

    text_cfg: tuple[float, ...]
    image_cfg: tuple[float, ...]

    @property
    def cells(self) -> tuple[tuple[float, float], ...]:
        """Every (text CFG, image CFG), row by row."""
        return tuple((text, image) for image in self.image_cfg for text in self.text_cfg)


NO_WISH = SettingsWish()
KNOBS = tuple(knob.name for knob in fields(SettingsWish))


def resolve(
    bot: EditSettings,
    *,
    call: SettingsWish = NO_WISH,
    session: SettingsWish = NO_WISH,
    person: SettingsWish = NO_WISH,
    channel: SettingsWish = NO_WISH,
) -> EditSettings:
    """The settings to use: call > session > person > channel > bot, by knob; the bot's for one on auto."""
    wish = call.over(session).over(person).over(channel).advised(bot.text_cfg, bot.image_cfg)
    return EditSettings(**{**asdict(bot), **wish.spoken()})


def origins(
    *,
    call: SettingsWish = NO_WISH,
    session: SettingsWish = NO_WISH,
    person: SettingsWish = NO_WISH,
    channel: SettingsWish = NO_WISH,
) -> dict[str, Scope]:
    """For each knob, the layer that `resolve` takes it from."""
    layers: tuple[tuple[Scope, SettingsWish], ...] = (
        ("channel", channel),
        ("person", person),
        ("session", session),
        ("call", call),
    )
    origin: dict[str, Scope] = dict.fromkeys(KNOBS, "bot")
    for scope, wish in layers:
        origin.update(dict.fromkeys(wish.spoken(), scope))
    return origin


def checked(wish: SettingsWish) -> SettingsWish:
    """The same wish; SettingsRefused, naming knob and range, when a value lies outside. Never clamps."""
    for knob, value in wish.spoken().items():
        if knob in CHOICES and value not in CHOICES[knob]:
            raise SettingsRefused(f"{knob} must be one of {', '.join(CHOICES[knob])}, not {value}.")
        if knob in RANGES and value != AUTO and not RANGES[knob][0] <= value <= RANGES[knob][1]:
            low, high = RANGES[knob]
            raise SettingsRefused(f"{knob} must lie between {low:g} and {high:.10g}, not {value:.10g}.")
    return wish
