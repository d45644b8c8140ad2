"""Notes that answer no event: a question to the owner of a picture, and news for the user who asked.

They go where the request is answered, else to the user they are for. A bot that is no member of the place
answers through the token of the interaction, which holds 15 minutes; then only a DM is left.
"""

import logging
from typing import Any

import discord

from bot.chat.interface import ChatGone, ChatRefused
from bot.chat.replies import Note
from bot.discord_chat.ids import MessagePlace, user_of
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.sending.permanent_refusals import CLOSED_THREADS, permanent_refusal
from bot.discord_chat.ui.component_ids import button_ids
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from conversations.messages import Message
from conversations.request_source import RequestSource

SCAN_MESSAGES = 200  # how far to look for a note after a crash
NOT_THERE = (discord.Forbidden, discord.NotFound)
NO_MENTIONS = discord.AllowedMentions.none()
ORIGINAL: Any = "@original"
log = logging.getLogger(__name__)


class NotePoster:
    """Posts notes to users who did not ask for an answer."""

    def __init__(self, client: discord.Client, renderer: Renderer, own_messages: OwnMessages) -> None:
        self._client, self._renderer, self._own = client, renderer, own_messages

    async def post(self, source: RequestSource, note: Note, nonce: str, *, again: bool) -> str:
        """The key of the note, now or earlier posted; ChatGone when its user cannot be reached."""
        context = ReplyContext.of(source)
        if again and (found := await self._posted(context, note)):
            return str(found)
        outgoing = await self._renderer.reply(note, context)
        place = await self._post_in_place(context, outgoing, note, nonce)
        if place is None:
            place = await self._post_in_dm(context, outgoing, note, nonce)
        self._own.posted(place)
        return str(place)

    async def _post_in_place(
        self, context: ReplyContext, outgoing: Outgoing, note: Note, nonce: str
    ) -> MessagePlace | None:
        """Where it was posted for all to see; None where that is not possible."""
        if context.is_private:
            return await self._follow_up(context, outgoing, note)
        if not context.channel:
            return None
        try:
            return await post_in(self._client, context, outgoing, nonce, pinged=outgoing.pings)
        except discord.HTTPException as error:
            if reason := permanent_refusal(error):
                raise ChatRefused(reason) from error
            if not isinstance(error, NOT_THERE) and error.code not in CLOSED_THREADS:
                raise
            log.info("a note cannot be posted in %s: %s", context.channel, error)
            return None

    async def _follow_up(self, context: ReplyContext, outgoing: Outgoing, note: Note) -> MessagePlace | None:
        """Through the interaction, whose first answer must not be this one: it is for the asker alone."""
        if context.token is None or not note.buttons:  # news are for the asker: their DMs are as good
            return None
        assert self._client.application_id is not None
        hook = discord.Webhook.partial(self._client.application_id, context.token, client=self._client)
        try:
            asking = discord_translator(context.language)(Message("asking_owner"))
            await hook.edit_message(ORIGINAL, content=asking)
            message = await hook.send(**outgoing.to_send(), allowed_mentions=outgoing.mentions, wait=True)
            if not message.flags.ephemeral:
                return MessagePlace(context.channel, message.id)
            await message.delete()  # the server lets others see nothing of such bots
        except NOT_THERE as error:
            log.info("a note cannot be posted through the interaction: %s", error)
        return None

    async def _post_in_dm(
        self, context: ReplyContext, outgoing: Outgoing, note: Note, nonce: str
    ) -> MessagePlace:
        user = user_of(note.asks or "")
        if user is None:
            raise ChatGone("the note is for nobody")
        try:
            dm = await self._client.create_dm(discord.Object(user))
            message = await dm.send(**outgoing.to_send(), nonce=nonce, allowed_mentions=NO_MENTIONS)
        except NOT_THERE as error:
            raise ChatGone(f"neither channel {context.channel} nor DMs: {error.text}") from error
        return MessagePlace(dm.id, message.id)

    async def _posted(self, context: ReplyContext, note: Note) -> MessagePlace | None:
        """Where an earlier run of the bot posted it."""
        after = discord.Object(context.message) if context.message else None
        history = self._client.get_partial_messageable(context.channel).history(
            limit=SCAN_MESSAGES, after=after, oldest_first=after is not None
        )
        try:
            async for message in history:
                if self._own.wrote(message) and _is_same(message, note, context.message):
                    return MessagePlace(context.channel, message.id)
        except NOT_THERE:
            pass
        return None


def _is_same(message: discord.Message, note: Note, request: int | None) -> bool:
    """Whether a message of the bot is this note: by what its buttons are about, else as its plain answer."""
    about = [button.turn for button in button_ids(message)]
    if note.buttons:
        return note.about in about
    reference = message.reference
    return not message.components and reference is not None and reference.message_id == request


async def post_in(
    client: discord.Client,
    context: ReplyContext,
    outgoing: Outgoing,
    nonce: str,
    *,
    pinged: int | None,
    is_author: bool = False,
) -> MessagePlace:
    """Post a message in reply to the request, or without a reference where that is not allowed.

    `pinged`: the user to ping, whom the message names; `is_author`: who is the author of the request.
    """
    channel = client.get_partial_messageable(context.channel)
    pings = NO_MENTIONS
    if pinged is not None:
        pings = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(pinged)])
    arguments: dict[str, Any] = {"nonce": nonce, "allowed_mentions": pings}
    if context.message:
        reference = discord.MessageReference(
            message_id=context.message,
            channel_id=context.channel,
            guild_id=context.guild,
            fail_if_not_exists=False,
        )
        try:
            message = await channel.send(
                **outgoing.to_send(), **arguments, reference=reference, mention_author=is_author
            )
            return MessagePlace(context.channel, message.id)
        except discord.Forbidden:
            # A reply needs Read Message History; a plain message does not.
            log.info("may not reply in %s; posting without a reference", context.channel)
    message = await channel.send(**outgoing.to_send(), **arguments)
    return MessagePlace(context.channel, message.id)
