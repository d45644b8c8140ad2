"""Auto strengths: scales left open are filled in when an edit's turn has come, from its picture and words."""

import asyncio
from dataclasses import dataclass, replace

from conversations.session import Turn
from conversations.settings import GUIDANCE, EditSettings
from mgie_engine.strengths import Table, advise_on


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """The settings of an edit, and why advice chose them: sentences, none where it was not asked."""

    settings: EditSettings
    reason: tuple[str, ...] = ()


async def resolve_auto(
    turn: Turn, settings: EditSettings, png: bytes, table: Table | None
) -> ResolvedSettings:
    """`settings`, where the model's own stand for what the turn left open, with advice in their place.

    A sheet shows scales of its own and needs no advice.
    """
    names = [name for name in GUIDANCE if name in turn.auto_scales]
    if not names or turn.grid is not None:
        return ResolvedSettings(settings)
    own = (settings.text_cfg, settings.image_cfg)
    advice = await asyncio.to_thread(advise_on, png, turn.instruction, table, own)
    chosen = {name: getattr(advice, name) for name in names}
    return ResolvedSettings(replace(settings, **chosen), advice.reason)
