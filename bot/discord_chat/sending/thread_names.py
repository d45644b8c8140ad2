"""Names of threads, which are words of users."""

import logging

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import channel_of

ERASED_NAME = "…"
log = logging.getLogger(__name__)


async def rename_erased(client: discord.Client, thread: str) -> None:
    """Take the words of an erased request off the name of its thread; no matter if that fails now."""
    number = channel_of(thread) or 0
    try:
        await client.http.edit_channel(number, name=ERASED_NAME)
    except REQUEST_ERRORS as error:
        log.info("the thread %s could not be renamed: %s", number, error)
