"""The slash commands, grouped as people think of them, and the menu of a message."""

from bot.discord_chat.cogs.about import AboutCog
from bot.discord_chat.cogs.admin import AdminCog
from bot.discord_chat.cogs.editing import EditingCog
from bot.discord_chat.cogs.menus import message_menus
from bot.discord_chat.cogs.privacy import PrivacyCog
from bot.discord_chat.cogs.sessions import SessionCog
from bot.discord_chat.cogs.settings import SettingsCog

COGS = (EditingCog, SettingsCog, SessionCog, PrivacyCog, AboutCog, AdminCog)

__all__ = ["COGS", "message_menus"]
