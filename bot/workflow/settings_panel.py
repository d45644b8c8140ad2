"""The talk about settings: change a scope's wish, or show which settings hold and who says so."""

from bot.chat.events import Event, Scope, SettingsAsked
from bot.chat.replies import Note, Reply, Say, SettingsPanel
from bot.workflow.settings_layers import WHERE_KEPT, SettingsLayers, asks_for_change, changed_override
from bot.workflow.targets import Target, current_version
from conversations.session import EditSession
from conversations.settings import NO_OVERRIDE, checked
from conversations.store.session_store import OverrideScope, SessionStore
from mgie_engine.config import Defaults


async def layers(store: SessionStore, event: Event, session: EditSession | None) -> SettingsLayers:
    """The wishes that hold for this person in this channel and session."""
    return SettingsLayers(
        session=session.override if session else NO_OVERRIDE,
        person=await store.override("person", event.person),
        channel=await store.override("channel", event.channel),
    )


async def change_settings(store: SessionStore, asked: SettingsAsked, defaults: Defaults) -> Reply:
    """Do what was asked and show the panel; raises SettingsRefused for a value out of range."""
    if asked.scope is Scope.CHANNEL and asks_for_change(asked) and not asked.may_set_channel:
        return Note(Say.NO_CHANNEL_RIGHT())
    head = await current_version(store, asked)
    said = ""
    if asks_for_change(asked):
        scope, key, kept = _place(asked, head)
        before = await store.override(scope, key)
        override = checked(changed_override(asked, before, defaults, head.turn if head else None))
        await store.set_override(scope, key, override)
        said = (Say.RESET_SETTINGS if asked.reset else Say.SAVED_SETTINGS)(scope=WHERE_KEPT[kept]())
    session = await store.session(head.session.id) if head else None
    return SettingsPanel(said, (await layers(store, asked, session)).panel(defaults))


def _place(asked: SettingsAsked, head: Target | None) -> tuple[OverrideScope, str, Scope]:
    """Where the wish is kept: scope and key in the store. Without a session it is kept for the person."""
    if asked.scope is Scope.CHANNEL:
        return "channel", asked.channel, Scope.CHANNEL
    if asked.scope is Scope.SESSION and head is not None:
        return "session", head.session.id, Scope.SESSION
    return "person", asked.person, Scope.ME
