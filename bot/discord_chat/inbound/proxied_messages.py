"""Users who write through a proxy bot: it posts their message again by a webhook and deletes the original.

Such a deletion takes nothing back. The copy must come before the deletion, as with the usual proxies.
"""

from collections.abc import Callable

import discord

KEPT = 200
COPIED_WITHIN_S = 30.0
LEAST_SHARE = 0.5  # of the original's characters that its copy has; the rest is tags


class ProxiedMessages:
    """Remembers the newest messages that the bot acted on, and which of them a webhook posted again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, of a clock that cannot be set."""
        self._clock = clock
        self._originals: dict[int, tuple[float, int, str]] = {}  # by message: when, channel, content
        self._copied: set[int] = set()

    def acted_on(self, message: discord.Message) -> None:
        """The bot acts on the message of a user."""
        self._originals[message.id] = (self._clock(), message.channel.id, message.content)
        while len(self._originals) > KEPT:
            oldest = next(iter(self._originals))
            del self._originals[oldest]
            self._copied.discard(oldest)

    def posted_by_webhook(self, message: discord.Message) -> None:
        """A webhook posted this: perhaps a copy, without the tags that the proxy goes by."""
        for original, (at, channel, content) in self._originals.items():
            is_recent = self._clock() - at < COPIED_WITHIN_S and channel == message.channel.id
            is_long = len(message.content) >= LEAST_SHARE * max(1, len(content))
            if is_recent and is_long and message.content in content:
                self._copied.add(original)

    def is_copied(self, message: int) -> bool:
        """Whether a copy of this message stands in its place."""
        return message in self._copied
