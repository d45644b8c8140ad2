"""Settings as people speak of them: presets, stronger and subtler, and the panel. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.events import Preset, Scope, SettingsAsked, Variation
from bot.replies import Row
from conversations.session import Turn
from conversations.settings import NO_WISH, RANGES, EditSettings, SettingsWish, origins, resolve
from mgie_engine.config import Defaults

STRONGER_TEXT, STRONGER_IMAGE = 1.5, -0.2  # one press of Stronger; Subtler is the reverse
VARIED_IMAGE_MAX = 5.0  # the least is 1, below which the picture pushes the other way, unless it was lower

KNOB_NAMES = {
    "text_cfg": "text CFG",
    "image_cfg": "image CFG",
    "steps": "steps",
    "seed": "seed",
    "sampler": "sampler",
    "keep": "keep",
}
SCOPE_NAMES = {
    "session": "this session",
    "person": "you",
    "channel": "this channel",
    "bot": "the model's default",
}
WHERE_KEPT = {Scope.SESSION: "this session", Scope.ME: "you", Scope.CHANNEL: "this channel"}


@dataclass(frozen=True, slots=True)
class Layers:
    """The wishes that hold for one person in one channel, strongest first; a call's own comes on top."""

    session: SettingsWish = NO_WISH
    person: SettingsWish = NO_WISH
    channel: SettingsWish = NO_WISH

    def settle(self, call: SettingsWish, defaults: Defaults, seed: int) -> EditSettings:
        """The settings of an edit; `seed` is used where nobody wished for one."""
        bot = EditSettings(
            text_cfg=defaults.text_cfg,
            image_cfg=defaults.image_cfg,
            steps=defaults.steps,
            seed=seed if defaults.seed is None else defaults.seed,
            sampler=defaults.sampler,
        )
        return resolve(bot, call=call, session=self.session, person=self.person, channel=self.channel)

    def panel(self, defaults: Defaults) -> tuple[Row, ...]:
        """Each knob with its value and who says so; a seed nobody wished for is "random"."""
        settled = self.settle(NO_WISH, defaults, seed=0)
        said_by = origins(session=self.session, person=self.person, channel=self.channel)
        free_seed = said_by["seed"] == "bot" and defaults.seed is None
        return tuple(
            Row(name, "random" if knob == "seed" and free_seed else _shown(getattr(settled, knob)), origin)
            for knob, name in KNOB_NAMES.items()
            for origin in [SCOPE_NAMES[said_by[knob]]]
        )


def changed_wish(
    asked: SettingsAsked, before: SettingsWish, defaults: Defaults, head: Turn | None
) -> SettingsWish:
    """The wish of a scope after `asked`; `head` gives the seed to lock, if it has one."""
    wish = NO_WISH if asked.reset else before
    if asked.preset is not None:
        wish = preset_wish(asked.preset, defaults).over(wish)
    wish = asked.wish.over(_without(wish, asked.forget))
    if asked.lock_seed and head is not None and head.settings is not None:
        wish = replace(wish, seed=head.settings.seed)
    return wish


def asks_for_change(asked: SettingsAsked) -> bool:
    """Whether there is anything to change, or only the panel to show."""
    return bool(asked.wish.spoken() or asked.preset or asked.reset or asked.forget or asked.lock_seed)


def preset_wish(preset: Preset, defaults: Defaults) -> SettingsWish:
    """The two guidance scales of a preset; Balanced is what the model's authors publish."""
    match preset:
        case Preset.FAITHFUL:
            return SettingsWish(text_cfg=6.0, image_cfg=2.0)
        case Preset.BOLD:
            return SettingsWish(text_cfg=9.0, image_cfg=1.2)
        case Preset.BALANCED:
            return SettingsWish(text_cfg=defaults.text_cfg, image_cfg=defaults.image_cfg)


def varied_wish(turn: Turn, variation: Variation, seed: int) -> SettingsWish:
    """The call-level wish for doing `turn` once more; `seed` is a fresh one."""
    if variation is Variation.AGAIN or turn.settings is None:
        return replace(turn.wish, seed=seed)
    used = turn.settings
    sign = 1 if variation is Variation.STRONGER else -1
    low, high = RANGES["text_cfg"]
    return replace(
        turn.wish,
        text_cfg=_within(used.text_cfg + sign * STRONGER_TEXT, low, high),
        image_cfg=_within(used.image_cfg + sign * STRONGER_IMAGE, min(1.0, used.image_cfg), VARIED_IMAGE_MAX),
        steps=used.steps,
        seed=used.seed,
        sampler=used.sampler,
    )


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 3)


def _without(wish: SettingsWish, knobs: Iterable[str]) -> SettingsWish:
    return SettingsWish(**{knob: value for knob, value in wish.spoken().items() if knob not in set(knobs)})


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
