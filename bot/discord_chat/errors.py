"""Every error the Discord chat raises on purpose.

DiscordChatError
├── DownloadRefused   an attachment is not fetched: wrong host, too large, gone, too slow
└── LoginRefused      Discord does not accept the token

The message of each is a sentence a person can act on.
"""


class DiscordChatError(Exception):
    """Base of every error of bot.discord_chat."""


class DownloadRefused(DiscordChatError):
    """An attachment cannot be had; the message is ready to be shown."""


class LoginRefused(DiscordChatError):
    """The token was not accepted; the message says where to find the right one."""
