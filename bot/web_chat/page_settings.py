"""The settings on the page, from and to those that are stored."""

from dataclasses import dataclass, replace
from typing import Any

from bot.chat.replies import SettingsPanel
from bot.i18n.catalog import ENGLISH, translator
from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import AUTO, GUIDANCE, RANGES, SettingsOverride

SAVED_SETTINGS = ("text_cfg", "image_cfg", "steps", "seed")  # those on the page, which become overrides


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The settings on the page; a `seed` of None means a new one for each edit.

    `is_auto`: the scales are chosen for each edit, and the two numbers only stand in for them.
    `asks`: a doubtful reading is asked about.
    """

    text_cfg: float
    image_cfg: float
    steps: int
    seed: int | None = None
    is_auto: bool = False
    asks: bool = True

    def has_same_values(self, other: "PageSettings") -> bool:
        """Whether every number is the same."""
        return replace(self, is_auto=other.is_auto, asks=other.asks) == other


def override_of(settings: PageSettings) -> SettingsOverride:
    return SettingsOverride(**{name: getattr(settings, name) for name in SAVED_SETTINGS})


def seed_of(text: str, language: str = ENGLISH) -> int | None:
    """The seed typed into its field, None for a random one; SettingsRefused for anything else."""
    text = text.strip()
    low, high = RANGES["seed"]
    if text.lower() in ("", "random", translator(language)(Message("page.random"))):
        return None
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingsRefused(f"not a seed: {text!r}", Message("page.seed_range", high=str(int(high))))
    return int(text)


def settings_of(panel: SettingsPanel, defaults: PageSettings) -> PageSettings:
    chosen: dict[str, Any] = {row.name: row.setting for row in panel.rows}
    is_auto = any(chosen.get(scale) == AUTO for scale in GUIDANCE)
    shown = {name: value for name, value in chosen.items() if value != AUTO}
    return PageSettings(
        **{name: shown.get(name, getattr(defaults, name)) for name in SAVED_SETTINGS},
        is_auto=is_auto,
        asks=chosen.get("ask") != "off",
    )
