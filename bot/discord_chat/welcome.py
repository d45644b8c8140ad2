"""What the bot says when a server adds it, and the link by which servers do."""

import logging

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.permissions import INVITED, NEEDED
from bot.discord_chat.ui.markdown import discord_translator
from conversations.messages import Message, joined

log = logging.getLogger(__name__)


def invitation(application: int) -> str:
    """The address at which a server is chosen to add the bot to; it asks also for what threads need."""
    wanted = discord.Permissions(**dict.fromkeys(INVITED, True))
    return discord.utils.oauth_url(application, permissions=wanted, scopes=("bot", "applications.commands"))


async def welcome(guild: discord.Guild) -> None:
    """Introduce the bot once, in the language of the server, in the first channel where it may write."""
    channel = _first_writable(guild)
    if channel is None:
        log.info("no channel of server %d is open for a welcome", guild.id)
        return
    parts = [Message("welcome")]
    has = guild.me.guild_permissions
    if missing := tuple(label for name, label in NEEDED.items() if not getattr(has, name)):
        parts.append(Message("welcome_permissions", permissions=missing))
    text = discord_translator(guild.preferred_locale)(joined("\n", *parts))
    try:
        await channel.send(text, nonce=f"welcome-{guild.id % 10**16}")
    except REQUEST_ERRORS as error:
        log.info("server %d got no welcome: %r", guild.id, error)


def _first_writable(guild: discord.Guild) -> discord.TextChannel | None:
    """The channel of the server's own notices, else the first one, where the bot may write."""
    channels = [guild.system_channel, *sorted(guild.text_channels, key=lambda channel: channel.position)]
    for channel in channels:
        if channel is not None:
            may = channel.permissions_for(guild.me)
            if may.view_channel and may.send_messages:
                return channel
    return None
