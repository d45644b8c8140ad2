"""Reports and appeals: posted in the moderators' channel, closed once they are decided."""

import logging

import discord

from bot.chat.replies import ForModerators
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import channel_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.ui.layouts import closed_report
from bot.discord_chat.ui.rendering import Renderer

NO_MENTIONS = discord.AllowedMentions.none()
log = logging.getLogger(__name__)


async def post_report(
    client: discord.Client, renderer: Renderer, report: ForModerators, context: ReplyContext, nonce: str
) -> discord.Message | None:
    """Post a report in the moderators' channel, once; None when the bot may not post there."""
    outgoing = await renderer.for_moderators(report, context)
    channel = client.get_partial_messageable(channel_of(report.to) or 0)
    try:
        return await channel.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("could not post a report in %s: %s", report.to, error)
        return None


async def close(message: discord.Message, outcome: str, by: int) -> None:
    """Write on a report what was decided and by whom; does nothing when the report is gone."""
    view = closed_report(message, f"{outcome} · <@{by}>")
    try:
        await message.edit(view=view, attachments=[], allowed_mentions=NO_MENTIONS)
    except REQUEST_ERRORS as error:
        log.info("could not close report %s: %s", message.id, error)
