"""The errors of the Discord chat.

DiscordChatError
└── LoginRefused      Discord does not serve the bot: wrong token, server error, too many servers

PictureRefused
└── DownloadRefused   an attachment is not fetched: wrong host, too large, gone, too slow
"""

from conversations.errors import PictureRefused
from conversations.messages import Message


class DiscordChatError(Exception):
    """Base of every error of bot.discord_chat."""


class DownloadRefused(PictureRefused):
    """An attachment cannot be downloaded; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message), message)


class LoginRefused(DiscordChatError):
    """Discord does not serve the bot, or not now; the message says why and what to do."""
