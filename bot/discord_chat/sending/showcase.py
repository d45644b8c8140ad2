"""Copies of results in the showcase of a server."""

import logging

import discord

from bot.chat.replies import ShownVersion
from bot.discord_chat.ids import channel_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.ui.rendering import Renderer

NO_MENTIONS = discord.AllowedMentions.none()
log = logging.getLogger(__name__)


async def post_copy(
    client: discord.Client, renderer: Renderer, shared: ShownVersion, context: ReplyContext, nonce: str
) -> discord.Message | None:
    """Post the copy, once; None where the bot may not post."""
    outgoing = await renderer.card(shared.card, context)
    channel = client.get_partial_messageable(channel_of(shared.to or "") or 0)
    try:
        return await channel.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("could not post in the showcase %s: %s", shared.to, error)
        return None
