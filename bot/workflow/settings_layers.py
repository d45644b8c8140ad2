"""Layered settings: overrides by scope, presets, stronger and subtler, grids, and the panel."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

from bot.chat.cards import is_question
from bot.chat.events import EditAsked, Event, GridAsked, SettingsAsked, Work
from bot.chat.replies import SettingRow
from conversations.errors import SettingsRefused
from conversations.messages import Message, verbatim
from conversations.session import EditSession
from conversations.settings import (
    AUTO,
    NO_OVERRIDE,
    RANGES,
    SETTING_NAMES,
    EditSettings,
    Grid,
    SettingsOverride,
    checked,
    merged,
    origins,
    resolve,
    seeds_from,
)
from conversations.store.session_store import SessionStore
from conversations.turn import Turn
from mgie_engine.config import Defaults
from mgie_engine.strengths import preset_override

GRID_TEXT, GRID_IMAGE = 2.0, 0.4  # from cell to cell of a grid without given scales
GRID_SIDE = 3  # cells

_SWITCHED = {"on": Message("switched_on"), "off": Message("switched_off")}
SCOPE_NAMES = {
    "session": Message("scope_session"),
    "user": Message("scope_person"),
    "channel": Message("scope_channel"),
    "bot": Message("scope_bot"),
}


@dataclass(frozen=True, slots=True)
class SettingsLayers:
    """Setting overrides for one user in one channel, highest priority first. An edit's own beat them."""

    session: SettingsOverride = NO_OVERRIDE
    user: SettingsOverride = NO_OVERRIDE
    channel: SettingsOverride = NO_OVERRIDE

    def resolved(self, call: SettingsOverride, defaults: Defaults, seed: int) -> EditSettings:
        """The settings of an edit; `seed` is the default seed."""
        own = asdict(defaults) | ({"seed": seed} if defaults.seed is None else {}) | {"ask": "on"}
        return resolve(EditSettings(**own), call, self.session, self.user, self.channel)

    def on_auto(self, call: SettingsOverride) -> tuple[str, ...]:
        """The names of the guidance scales that auto guidance chooses."""
        return merged(call, self.session, self.user, self.channel).auto_scales

    def panel(self, defaults: Defaults) -> tuple[SettingRow, ...]:
        """Each setting with its value and the scope it comes from; the default seed is "random"."""
        resolved = self.resolved(NO_OVERRIDE, defaults, seed=0)
        origin = origins({"session": self.session, "user": self.user, "channel": self.channel})
        free = {"seed"} if origin["seed"] == "bot" and defaults.seed is None else set()
        values = {name: None if name in free else getattr(resolved, name) for name in SETTING_NAMES}
        values |= dict.fromkeys(self.on_auto(NO_OVERRIDE), AUTO)
        return tuple(
            SettingRow(Message(f"setting.{name}"), _shown(value), SCOPE_NAMES[origin[name]], name, value)
            for name, value in values.items()
        )


async def layers(store: SessionStore, event: Event, session: EditSession | None) -> SettingsLayers:
    """The overrides that apply to this user in this channel and session.

    A guest's own settings beat those that the owner gave the session.
    """
    of_session = session.override if session else NO_OVERRIDE
    of_user, of_channel = await asyncio.gather(
        store.override("user", event.user), store.override("channel", event.channel)
    )
    if session is not None and session.owner != event.user:
        of_user, of_session = of_user.merged_over(of_session), NO_OVERRIDE
    return SettingsLayers(
        session=of_session,
        user=of_user,
        channel=of_channel,
    )


def changed_override(
    asked: SettingsAsked, before: SettingsOverride, defaults: Defaults, head: Turn | None
) -> SettingsOverride:
    """The override of a scope after `asked`; `head` gives the seed to lock, if it has one."""
    override = NO_OVERRIDE if asked.reset else before
    if asked.preset is not None:
        override = preset_override(asked.preset, defaults).merged_over(override)
    override = asked.override.merged_over(_without(override, asked.forget))
    if asked.lock_seed and head is not None and head.settings is not None:
        override = replace(override, seed=head.settings.seed)
    return override


def grid_around(settings: EditSettings) -> Grid:
    """A grid around these settings, smaller where a scale meets its bound."""
    return Grid(
        _around(settings.text_cfg, GRID_TEXT, *RANGES["text_cfg"]),
        _around(settings.image_cfg, GRID_IMAGE, *RANGES["image_cfg"]),
    )


def grid_of(asked: Work, settings: EditSettings, draw_seed: Callable[[], int]) -> Grid | None:
    """The grid that an edit with these settings asks for, if it does; SettingsRefused if it is too large."""
    if isinstance(asked, EditAsked):
        return seeds_from(settings.seed, asked.results) if asked.results > 1 else None
    if not isinstance(asked, GridAsked):
        return None
    if asked.seeds:  # of a picture that is there already with its own seed, unless words come with it
        return seeds_from(settings.seed if asked.text.strip() else draw_seed(), asked.seeds)
    return checked_grid(asked.grid) if asked.grid else grid_around(settings)


def checked_grid(grid: Grid) -> Grid:
    """The same grid, each scale once and in order; SettingsRefused if it is too large or out of range."""
    for cell in grid.cells:
        checked(SettingsOverride(text_cfg=cell.text_cfg, image_cfg=cell.image_cfg))
    tidy = Grid(tuple(sorted(set(grid.text_cfg))), tuple(sorted(set(grid.image_cfg))))
    if not tidy.cells or max(len(tidy.text_cfg), len(tidy.image_cfg)) > GRID_SIDE:
        raise SettingsRefused(
            f"a grid has at most {GRID_SIDE} values a side", Message("grid_size", count=GRID_SIDE)
        )
    return tidy


def _around(middle: float, step: float, low: float, high: float) -> tuple[float, ...]:
    values = {_within(middle + sign * step, low, high) for sign in (-1, 0, 1)}
    return tuple(sorted(values))


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 3)


def _without(override: SettingsOverride, settings: Iterable[str]) -> SettingsOverride:
    return SettingsOverride(
        **{setting: value for setting, value in override.explicit().items() if setting not in set(settings)}
    )


def _shown(value: object) -> Message:
    if value is None:
        return Message("random")
    if isinstance(value, str):
        return _SWITCHED.get(value, verbatim(value))
    return Message("number", value=value) if isinstance(value, float) else verbatim(str(value))


def asks_once(settings: EditSettings, turn: Turn, session: EditSession) -> EditSettings:
    """The settings of a turn; who says again what was asked about means it, and a grid shows what it does."""
    said = turn.instruction.strip().casefold()
    was_asked = any(
        is_question(other.error) and (other.user, other.parent_id) == (turn.user, turn.parent_id)
        and other.instruction.strip().casefold() == said
        for other in session.turns.values()
    )  # fmt: skip
    return replace(settings, ask="off") if was_asked or turn.grid else settings
