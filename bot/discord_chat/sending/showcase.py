"""Copies of results in the showcase of a server."""

import logging

import discord

from bot.chat.replies import ShownVersion
from bot.discord_chat.ids import channel_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.sending.permanent_refusals import CLOSED_THREADS, permanent_refusal
from bot.discord_chat.ui.rendering import Renderer
from conversations.messages import Message

NO_MENTIONS = discord.AllowedMentions.none()
log = logging.getLogger(__name__)


async def post_copy(
    client: discord.Client, renderer: Renderer, shared: ShownVersion, context: ReplyContext, nonce: str
) -> discord.Message | Message:
    """Post the copy, once; where the bot may not, why."""
    outgoing = await renderer.card(shared.card, context)
    channel = client.get_partial_messageable(channel_of(shared.to or "") or 0)
    try:
        return await channel.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
    except discord.HTTPException as error:
        log.warning("could not post in the showcase %s: %s", shared.to, error)
        if reason := permanent_refusal(error):
            return reason
        if isinstance(error, discord.Forbidden | discord.NotFound) or error.code in CLOSED_THREADS:
            return Message("showcase_closed")
        raise
