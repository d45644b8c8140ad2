"""Where an answer goes, in Discord's own ids; stored with the turn as a RequestSource."""

from dataclasses import dataclass

from bot.discord_chat.ids import CHAT, MessagePlace, channel_key, channel_of
from bot.i18n.catalog import ENGLISH
from conversations.request_source import RequestSource

DEFAULT_FILE_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Where an answer goes: channel, message to reply to, and the bytes a file may have there.

    With a token, the bot is no member of the place: it answers through that interaction, which ends after 15
    minutes.
    """

    channel: int
    message: int | None = None
    guild: int | None = None
    file_limit: int = DEFAULT_FILE_LIMIT
    language: str = ENGLISH  # of the user
    token: str | None = None
    token_expires_at: float | None = None  # Unix seconds
    parent: int | None = None  # of a thread: the channel it belongs to
    is_age_restricted: bool = False

    @property
    def is_private(self) -> bool:
        """Whether the answer goes through an interaction, because the bot may not post in the channel."""
        return self.token_expires_at is not None

    def as_request(self) -> RequestSource:
        """The context with keys instead of ids, to be stored."""
        return RequestSource(
            language=self.language,
            server=None if self.guild is None else f"{CHAT}:{self.guild}",
            channel=channel_key(self.channel),
            is_age_restricted=self.is_age_restricted,
            parent_channel=None if self.parent is None else channel_key(self.parent),
            message=None if self.message is None else str(MessagePlace(self.channel, self.message)),
            file_limit=self.file_limit,
            token=self.token,
            token_expires_at=self.token_expires_at,
        )

    @classmethod
    def of(cls, stored: RequestSource) -> "ReplyContext":
        """The context as stored."""
        message = MessagePlace.of(stored.message)
        return cls(
            channel=channel_of(stored.channel or "") or 0,
            message=message.message if message else None,
            guild=channel_of(stored.server or ""),
            file_limit=stored.file_limit or DEFAULT_FILE_LIMIT,
            language=stored.language,
            token=stored.token,
            token_expires_at=stored.token_expires_at,
            parent=channel_of(stored.parent_channel or ""),
            is_age_restricted=stored.is_age_restricted,
        )


def is_age_restricted(channel: object) -> bool:
    """Whether Discord shows that channel, or the thread's, to adults only."""
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw and is_nsfw())
