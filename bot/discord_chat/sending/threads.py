"""Threads for new pictures: the first result opens one, and the next versions are posted there."""

import logging
from dataclasses import replace

import discord
from discord.ext import commands

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import MessagePlace, channel_key, user_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.permissions import FOR_THREADS, missing_for_threads
from bot.discord_chat.ui.markdown import discord_translator
from conversations.messages import Message
from conversations.store.session_store import SessionStore
from conversations.turn import Turn

NAME_CHARS = 100
HAS_THREAD = 160004
log = logging.getLogger(__name__)


class PictureThreads(commands.Cog):
    """Opens threads on results, and forgets those that are deleted."""

    def __init__(self, client: discord.Client, store: SessionStore) -> None:
        self._client, self._store = client, store

    async def open(self, turn: Turn, key: str | None) -> None:
        """Open the thread of a result, posted as the message `key`, if it is to open one.

        Where that is not possible, it is said once in the channel, and the versions go on there.
        """
        place, context = MessagePlace.of(key), ReplyContext.of(turn.source)
        if not turn.source.opens_thread or turn.image is None or place is None:
            return
        if place.channel != context.channel:  # it went to the user's direct messages
            return
        if missing := missing_for_threads(self._client, context):
            await self._say_once(context, Message("no_thread_permission", permission=missing))
            return
        channel = self._client.get_partial_messageable(place.channel, guild_id=context.guild)
        message = channel.get_partial_message(place.message)
        try:
            await message.create_thread(name=thread_name(turn))
        except discord.NotFound as error:  # somebody deleted the result
            log.info("no thread on message %s: %s", place, error)
            return
        except discord.HTTPException as error:
            if error.code != HAS_THREAD:
                log.info("no thread on message %s: %s", place, error)
                await self._say_once(context, _reason(error))
                return
        thread = channel_key(place.message)  # Discord gives a thread the number of its message
        await self._store.messages.thread_opened(turn.session_id, str(place), thread)
        await self._add_user(place.message, turn)

    async def channel_of_deleted(self, context: ReplyContext) -> ReplyContext | None:
        """Where the versions of a thread go that is gone: its channel, if it hung on a result; else None."""
        if context.parent is None:
            return None
        starter = str(MessagePlace(context.parent, context.channel))
        if await self._store.find_by_message(starter) is None:
            return None
        await self._store.messages.thread_deleted(channel_key(context.channel))
        return replace(context, channel=context.parent, parent=None, message=None)

    async def _say_once(self, context: ReplyContext, why: Message) -> None:
        if await self._store.seen(f"{channel_key(context.channel)}:no-threads"):
            return
        text = discord_translator(context.language)(why)
        try:
            await self._client.get_partial_messageable(context.channel).send(text)
        except REQUEST_ERRORS as refused:
            log.info("nothing could be said in %s: %s", context.channel, refused)

    async def _add_user(self, thread: int, turn: Turn) -> None:
        """Make the user a member of the thread, so that Discord shows them what is new in it."""
        if (user := user_of(turn.user)) is None:
            return
        try:
            await self._client.http.add_user_to_thread(thread, user)
        except REQUEST_ERRORS as error:
            log.info("user %s could not be added to thread %s: %s", user, thread, error)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread is gone."""
        await self._store.messages.thread_deleted(channel_key(payload.thread_id))


def _reason(error: discord.HTTPException) -> Message:
    if isinstance(error, discord.Forbidden):
        return Message("no_thread_permission", permission=(FOR_THREADS["create_public_threads"],))
    return Message("no_thread_possible")


def thread_name(turn: Turn) -> str:
    """The instruction, on one line."""
    return " ".join(turn.instruction.split())[:NAME_CHARS] or turn.label
