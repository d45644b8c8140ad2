"""Slash commands, one cog per subject, and the menu of a message."""

from bot.discord_chat.commands.about import AboutCog
from bot.discord_chat.commands.admin import AdminCog
from bot.discord_chat.commands.editing import EditingCog
from bot.discord_chat.commands.menus import message_menus
from bot.discord_chat.commands.operator import OperatorCog
from bot.discord_chat.commands.privacy_commands import PrivacyCog
from bot.discord_chat.commands.sessions import SessionCog
from bot.discord_chat.commands.settings_commands import SettingsCog

COGS = (EditingCog, SettingsCog, SessionCog, PrivacyCog, AboutCog, AdminCog)

__all__ = ["COGS", "OperatorCog", "message_menus"]
