"""The one place where messages are deleted: those the bot wrote, and no others.

A bot with Manage Messages or Administrator may delete what anybody wrote. So a key alone is no reason to
delete: the message must be known to be the bot's own, or is fetched to see who wrote it.
"""

import logging
from collections.abc import Iterable

import discord

from bot.discord_chat.ids import MessagePlace

REMEMBERED = 10_000  # newest messages posted by this process
log = logging.getLogger(__name__)


class OwnMessages:
    """Deletes messages of the bot by their keys."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._posted: dict[MessagePlace, None] = {}  # in order of posting

    def posted(self, place: MessagePlace) -> None:
        """The bot has just posted this: it can be deleted even where the bot may not read the history."""
        self._posted[place] = None
        while len(self._posted) > REMEMBERED:
            del self._posted[next(iter(self._posted))]

    def wrote(self, message: discord.Message) -> bool:
        """Whether the bot wrote this, by itself or as the answer to an interaction."""
        return self._client.user is not None and message.author.id == self._client.user.id

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete those of these messages that the bot wrote."""
        for place in filter(None, map(MessagePlace.of, keys)):
            message = self._client.get_partial_messageable(place.channel).get_partial_message(place.message)
            try:
                if place in self._posted:
                    await message.delete()
                else:
                    await self.delete_if_own(await message.fetch())
            except (discord.DiscordException, OSError) as error:
                log.info("could not delete the message %s: %s", place, error)

    async def delete_if_own(self, message: discord.Message) -> None:
        """Delete this message if the bot wrote it; no matter if it is gone or cannot be deleted now."""
        if not self.wrote(message):
            log.warning("the message %s of user %s is kept", message.id, message.author.id)
            return
        try:
            await message.delete()
        except (discord.DiscordException, OSError) as error:
            log.info("could not delete the message %s: %s", message.id, error)
