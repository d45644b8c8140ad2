"""Posts and edits the messages of a turn: in its channel, else in the DMs of the user who asked for it."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

import discord

from bot.chat.interface import ChatGone, ChatRefused
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.ids import MessagePlace, user_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.permissions import missing_permissions
from bot.discord_chat.sending.notes import NO_MENTIONS, post_in
from bot.discord_chat.sending.permanent_refusals import CLOSED_THREADS, permanent_refusal
from bot.discord_chat.sending.threads import PictureThreads
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.rendering import Outgoing
from conversations.messages import Message, verbatim
from conversations.turn import Turn

AT_ONCE = 2  # posts under way in one channel
LONG_WAIT = timedelta(seconds=60)  # after which the owner is pinged with the result
OLD_MESSAGE_EDITS = 30046
INVALID_FORM = 50035
TOO_LARGE = 40005

log = logging.getLogger(__name__)


class Poster:
    """Sends what was rendered; errors become those of bot.chat.interface.Chat.

    Only a few posts to one channel are under way at a time, first come, first served. With many, discord.py
    does not keep their order, leaves a third of the rate limit unused, and runs into it all the same.
    """

    def __init__(
        self, client: discord.Client, acks: AckTimes, own_messages: OwnMessages, threads: PictureThreads
    ) -> None:
        self._client, self._acks, self._own, self._threads = client, acks, own_messages, threads
        self._lanes = WeakValueDictionary[int, asyncio.Semaphore]()  # by channel
        self._can_replace = True  # whether this service has taken new pictures in place of old components

    async def post(self, turn: Turn, outgoing: Outgoing, nonce: str) -> MessagePlace:
        """Post in reply to the request; where that is not allowed, in the owner's DMs; else ChatGone.

        Where the thread of a picture was deleted, in its channel.
        """
        context = ReplyContext.of(turn.source)
        try:
            pinged = user_of(turn.user) if waited_long(turn) else None
            async with self._lanes.setdefault(context.channel, asyncio.Semaphore(AT_ONCE)):
                place = await post_in(
                    self._client, context, outgoing, nonce, pinged=pinged, is_author=pinged is not None
                )
            self._acks.answered(context.message)
        except discord.Forbidden as error:
            place = await self._post_to_owner(turn, context, outgoing, nonce, error)
        except discord.NotFound as error:
            above = await self._threads.channel_of_deleted(context)
            if above is None:
                raise ChatGone(f"channel {context.channel}: {error.text}") from error
            return await self.post(replace(turn, source=above.as_request()), outgoing, nonce)
        except discord.HTTPException as error:
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from error
            if error.code not in CLOSED_THREADS:
                raise
            place = await self._post_to_owner(turn, context, outgoing, nonce, error)
        self._own.posted(place)
        return place

    async def _post_to_owner(
        self, turn: Turn, context: ReplyContext, outgoing: Outgoing, nonce: str, cause: discord.HTTPException
    ) -> MessagePlace:
        """Post the card in the owner's DMs, under a note that names what keeps the bot out of the channel."""
        user = user_of(turn.user)
        if user is None:
            raise ChatGone(f"channel {context.channel}: {cause.text}") from cause
        where = verbatim(f"<#{context.channel}>")
        if cause.code in CLOSED_THREADS:
            why = Message("thread_closed", place=where)
        else:
            missing = missing_permissions(self._client, context, files=bool(outgoing.images))
            why = Message("may_not_post", place=where, permissions=missing)
        try:
            dm = await self._client.create_dm(discord.Object(user))
            if turn.delivered is None:
                await dm.send(discord_translator(context.language)(why), nonce=f"{turn.id}-why")
            message = await dm.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
        except (discord.Forbidden, discord.NotFound) as error:
            raise ChatGone(f"neither channel {context.channel} nor DMs: {error.text}") from cause
        except discord.HTTPException as error:
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from cause
            raise
        return MessagePlace(dm.id, message.id)

    async def edit(self, place: MessagePlace, view: discord.ui.LayoutView | None) -> bool:
        """Change the text and buttons of a message; False when it is gone or can no longer be edited."""
        try:
            await self._message(place).edit(view=view, allowed_mentions=NO_MENTIONS)
        except (discord.Forbidden, discord.NotFound):
            return False
        except discord.HTTPException as error:
            if error.code not in (*CLOSED_THREADS, OLD_MESSAGE_EDITS) and not permanent_refusal(error):
                raise
            return False
        return True

    async def replace(self, place: MessagePlace, outgoing: Outgoing) -> bool:
        """Change a message with all its pictures; False when it is to be posted instead.

        The service has refused new pictures in some edits of messages made of components
        (discord-api-docs#7529). After one such refusal it is not asked again. ChatRefused where a post would
        be refused, too; discord.HTTPException for other faults, as when the files are too large.
        """
        if not self._can_replace:
            return False
        try:
            await self._message(place).edit(**outgoing.to_edit(), allowed_mentions=NO_MENTIONS)
        except (discord.Forbidden, discord.NotFound):
            return False
        except discord.HTTPException as error:
            if error.code == INVALID_FORM:
                log.warning(
                    "pictures cannot be put into posted messages; results are posted again: %s", error
                )
                self._can_replace = False
                return False
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from error
            if error.code not in (*CLOSED_THREADS, OLD_MESSAGE_EDITS):
                raise
            return False
        return True

    def _message(self, place: MessagePlace) -> discord.PartialMessage:
        return self._client.get_partial_messageable(place.channel).get_partial_message(place.message)


def waited_long(turn: Turn) -> bool:
    """Whether the turn took so long that its owner is pinged."""
    if turn.finished_at is None:
        return False
    return timedelta(seconds=turn.finished_at - turn.created_at) > LONG_WAIT
