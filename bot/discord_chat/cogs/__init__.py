"""The slash commands, grouped as people think of them."""

from bot.discord_chat.cogs.about import AboutCog
from bot.discord_chat.cogs.editing import EditingCog
from bot.discord_chat.cogs.sessions import SessionCog
from bot.discord_chat.cogs.settings import SettingsCog

COGS = (EditingCog, SettingsCog, SessionCog, AboutCog)
