"""Exact adjustments: every seed gives the same picture, so other seeds of one are not made."""

from bot.chat.events import GridAsked, VariationAsked
from bot.chat.replies import Note
from bot.workflow.settings_layers import layers
from bot.workflow.targets import Target
from conversations.messages import Message
from conversations.store.session_store import SessionStore
from conversations.variations import Variation, varied_override
from mgie_engine.config import Defaults


async def same_again(
    store: SessionStore, defaults: Defaults, asked: VariationAsked | GridAsked, target: Target
) -> Note | None:
    """The answer to a request for other seeds of an exact adjustment, with the settings that hold now."""
    turn = target.turn
    if not turn.is_exact or turn.settings is None:
        return None
    if isinstance(asked, GridAsked):
        is_same = bool(asked.seeds) and not asked.text.strip()
    elif asked.variation is Variation.AGAIN:
        override = varied_override(turn, asked.variation, turn.settings.seed)
        found = await layers(store, asked, target.session)
        is_same = found.resolved(override, defaults, turn.settings.seed) == turn.settings
    else:
        is_same = False
    return Note(Message("same_again", version=turn.label)) if is_same else None
