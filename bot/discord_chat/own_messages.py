"""The messages the bot wrote: recorded with the versions they show, and deleted here and nowhere else.

A bot with Manage Messages or Administrator may delete what anybody wrote. So a key alone is no reason to
delete: the message must be known to be the bot's own, or is fetched to see who wrote it.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TypeVar

import discord

from bot.chat.replies import AskTarget, Note, Reply, turns_shown
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import CHAT, MessagePlace, channel_key, user_key
from bot.discord_chat.sending.thread_names import rename_erased
from conversations.errors import StoreError
from conversations.store.posted_messages import PostedMessages

REMEMBERED = 10_000  # newest messages posted by this process
ALREADY_ANSWERED = 40060  # an attempt before, whose answer was lost, may have answered the interaction
T = TypeVar("T")
log = logging.getLogger(__name__)


def posted_nothing(error: discord.HTTPException) -> bool:
    """Whether this error proves that the message was not posted: a 5xx may come after it was."""
    return 400 <= error.status < 500 and error.code != ALREADY_ANSWERED


def wrote(client: discord.Client, message: discord.Message) -> bool:
    """Whether the bot wrote this, by itself or as the answer to an interaction."""
    return client.user is not None and message.author.id == client.user.id


class OwnMessages:
    """Records and deletes messages of the bot."""

    def __init__(self, client: discord.Client, stored: PostedMessages) -> None:
        self._client, self._stored = client, stored
        self._posted: dict[MessagePlace, None] = {}  # in order of posting
        self.begun: set[int] = set()  # postings of this run of the bot

    def posted(self, place: MessagePlace) -> None:
        """The bot has just posted this: it can be deleted even where the bot may not read the history."""
        self._posted[place] = None
        while len(self._posted) > REMEMBERED:
            del self._posted[next(iter(self._posted))]

    def has_posted(self, place: MessagePlace) -> bool:
        """Whether this run of the bot has posted the message."""
        return place in self._posted

    async def post(
        self, reply: Reply, channel: int, user: int, asked_at: datetime, send: Callable[[], Awaitable[T]]
    ) -> T:
        """Post a reply to what a user asked then by `send`, and record the message, where it gives one.

        What is to be posted is recorded before, so that the next start finds it after a kill. That record
        ends where Discord refused the message, and stays where it may have been posted.
        """
        posting, turns = None, turns_shown(reply)
        if turns:
            posting = await self._stored.begin_posting(channel_key(channel), turns)
            self.begun.add(posting)
        try:
            posted = await send()
        except discord.HTTPException as error:
            if posting is not None and posted_nothing(error):
                await self._stored.end_posting(posting)
            raise
        if isinstance(posted, discord.Message):
            await self.record(posted, reply, user, asked_at, posting)
        elif posting is not None:
            await self._stored.end_posting(posting)
        return posted

    async def record(
        self,
        message: discord.Message,
        reply: Reply,
        user: int,
        asked_at: datetime,
        posting: int | None = None,
    ) -> None:
        """Record a reply, just posted, to what a user asked then; deletes it if that was erased by now.

        `posting`: id of its announcement in the store.
        """
        place = MessagePlace(message.channel.id, message.id)
        self.posted(place)
        if isinstance(reply, AskTarget | Note) and reply.words:
            stays = await self._stored.record_of_user(str(place), user_key(user), asked_at.timestamp())
        else:
            stays = True
        turns = turns_shown(reply)
        if turns and not await self._stored.record(str(place), turns, posting):
            stays = False
        if not stays:
            await self.delete([str(place)])

    def wrote(self, message: discord.Message) -> bool:
        """Whether the bot wrote this."""
        return wrote(self._client, message)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete those of these messages that the bot wrote."""
        for place in filter(None, map(MessagePlace.of, keys)):
            message = self._client.get_partial_messageable(place.channel).get_partial_message(place.message)
            try:
                if place not in self._posted and not self._is_own(await message.fetch()):
                    await self._mark_deleted(place)  # it stays: another user wrote it
                    continue
                await message.delete()
            except discord.NotFound:
                pass
            except REQUEST_ERRORS as error:
                log.info("could not delete the message %s: %s", place, error)
                continue
            await self._mark_deleted(place)

    async def delete_pending(self) -> None:
        """Delete the messages of erased turns that are still there, as after a restart."""
        await self.delete(await self._stored.to_delete(CHAT))

    async def delete_if_own(self, message: discord.Message) -> None:
        """Delete this message if the bot wrote it; no matter if it is gone or cannot be deleted now."""
        if self._is_own(message):
            self.posted(place := MessagePlace(message.channel.id, message.id))
            await self.delete([str(place)])

    def _is_own(self, message: discord.Message) -> bool:
        if not self.wrote(message):
            log.warning("the message %s of user %s is kept", message.id, message.author.id)
        return self.wrote(message)

    async def _mark_deleted(self, place: MessagePlace) -> None:
        try:
            if thread := await self._stored.take_named_thread(str(place)):
                await rename_erased(self._client, thread)
            await self._stored.mark_deleted(str(place))
        except StoreError as error:  # then the next erasure tries to delete it again
            log.info("could not record that the message %s is gone: %s", place, error)
