"""The errors of the Discord chat.

DiscordChatError
└── LoginRefused      Discord does not serve the bot: wrong token, server error

PictureRefused
└── DownloadRefused   an attachment is not fetched: wrong host, too large, gone, too slow
"""

import aiohttp
import discord

from conversations.errors import PictureRefused
from conversations.messages import Message

# What a request to Discord may raise. Some errors of aiohttp are no OSError: that the server hung up is none.
REQUEST_ERRORS = (discord.DiscordException, aiohttp.ClientError, OSError)


class DiscordChatError(Exception):
    """Base of every error of bot.discord_chat."""


class DownloadRefused(PictureRefused):
    """An attachment cannot be downloaded; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message), message)


class LoginRefused(DiscordChatError):
    """Discord does not serve the bot, or not now; the message says why and what to do."""
