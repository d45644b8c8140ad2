"""Changes the settings of a scope, and shows which settings hold and which scope each comes from."""

from bot.chat.events import Scope, SettingsAsked
from bot.chat.replies import Reply, SettingsPanel
from bot.workflow.settings_layers import SCOPE_NAMES, changed_override, layers
from bot.workflow.status import ModelFacts
from bot.workflow.targets import Context, Target
from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import checked
from conversations.store.overrides import OverrideScope
from conversations.store.session_store import SessionStore
from mgie_engine.strengths import fits_model


async def change_settings(store: SessionStore, model: ModelFacts, context: Context[SettingsAsked]) -> Reply:
    """Do what was asked and show the panel; raises SettingsRefused for a value out of range."""
    asked, head = context.event, context.target
    said = None
    if asked.preset is not None and not fits_model(asked.preset, model.defaults):
        reason = Message("preset_unfit", preset=asked.preset.value, model=model.name)
        raise SettingsRefused(f"{asked.preset} was published for another model", reason)
    if asked.changes_something:
        scope, key = _place(asked, head)
        before = await store.override(scope, key)
        override = checked(changed_override(asked, before, model.defaults, head.turn if head else None))
        await store.set_override(scope, key, override)
        where = SCOPE_NAMES[scope]
        said = (
            Message("reset_settings", scope=where) if asked.reset else Message("saved_settings", scope=where)
        )
    session = await store.session(head.session.id) if head else None
    rows = (await layers(store, asked, session)).panel(model.defaults)
    return SettingsPanel(said, rows, model.offers_auto)


def _place(asked: SettingsAsked, head: Target | None) -> tuple[OverrideScope, str]:
    """Scope and key of the override in the store; without a session of the user's it is the user's own."""
    if asked.scope is Scope.CHANNEL:
        return "channel", asked.channel
    if asked.scope is Scope.SESSION and head is not None and head.session.owner == asked.user:
        return "session", head.session.id
    return "user", asked.user
