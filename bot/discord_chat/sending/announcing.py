"""Announcements of the operator: one plain message in each server."""

import logging

import discord

from bot.discord_chat.ids import channel_of
from bot.discord_chat.ui.markdown import discord_translator
from conversations.messages import Message

log = logging.getLogger(__name__)


async def announce(client: discord.Client, server: str, channel: str | None, text: str, nonce: str) -> None:
    """Post a text in a server: in its moderators' channel, else where Discord posts its own news.

    Where the bot may write in neither, it posts nothing; discord.HTTPException for passing faults.
    """
    guild = client.get_guild(channel_of(server) or 0)
    if guild is None:
        return
    said = discord_translator(guild.preferred_locale)(Message("announcement", text=text))
    news = guild.system_channel.id if guild.system_channel else None
    for place in (channel_of(channel or ""), news):
        if place is None:
            continue
        try:
            await client.get_partial_messageable(place, guild_id=guild.id).send(
                said, nonce=nonce, allowed_mentions=discord.AllowedMentions.none()
            )
            return
        except (discord.Forbidden, discord.NotFound) as error:
            log.info("an announcement cannot be posted in the channel %s: %s", place, error)
