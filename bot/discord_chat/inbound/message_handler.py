"""Messages, reactions, edits and deletions as Discord sends them: what each does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import discord
from discord.ext import commands

from bot.chat.events import Addressing
from bot.chat.replies import Accepted, Note, Reply
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.ids import MessagePlace, message_event
from bot.discord_chat.inbound.attempts import Attempt, Attempts
from bot.discord_chat.inbound.catch_up import CatchUp
from bot.discord_chat.inbound.inbound_images import has_picture, offer_in
from bot.discord_chat.inbound.message_content import (
    is_addressed_to,
    is_from_user,
    know_author,
    names_role_only,
    reply_context_of,
    text_without_mention,
)
from bot.discord_chat.inbound.message_filter import QUESTION, Decision, MessageFilter
from bot.discord_chat.inbound.proxied_messages import ProxiedMessages
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.interactions import InteractionHandler
from bot.discord_chat.responses import answer_message, react
from bot.discord_chat.sending.first_signs import FirstSigns
from bot.discord_chat.user_locales import UserLocales
from bot.ops.clocks import uptime_s
from bot.workflow.text_commands import is_chatter
from conversations.messages import Message

EDITED_WITHIN = timedelta(minutes=15)  # of the posting: a message edited later is not read again
log = logging.getLogger(__name__)


class MessageHandler(commands.Cog):
    """Listens to messages and runs those that are meant for the bot."""

    def __init__(
        self,
        client: discord.Client,
        attempts: Attempts,
        handler: InteractionHandler,
        message_filter: MessageFilter,
        user_locales: UserLocales,
        catch_up: CatchUp,
        acks: AckTimes,
        signs: FirstSigns,
        typing_delay_s: float,
        *,
        clock: Callable[[], float] = uptime_s,
    ) -> None:
        """`typing_delay_s`: delay before the typing indicator is shown. `clock`: seconds."""
        self._client, self._attempts, self._handler = client, attempts, handler
        self._filter, self._user_locales = message_filter, user_locales
        self._catch_up, self._acks = catch_up, acks
        self._signs, self._typing_delay_s = signs, typing_delay_s
        self._workflow, self._reads = handler.workflow, handler.reads
        self._recent, self._proxied = message_filter.recent, ProxiedMessages(clock)

    # -- listeners ----------------------------------------------------------------------------------------

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Run a message that is addressed to the bot; ask the filter about any other."""
        await self._catch_up.received(message)
        me = self._client.user
        if message.webhook_id is not None:
            self._proxied.posted_by_webhook(message)
        if me is not None and is_from_user(message):
            await self._receive(message, me, message_event(message.id))

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Run a message whose author confirms, by clicking the reaction of the bot, that it was meant."""
        if str(payload.emoji) != QUESTION or payload.user_id != payload.message_author_id:
            return
        place, me = self._client.get_channel(payload.channel_id), self._client.user
        if (
            me is None
            or not isinstance(place, discord.abc.Messageable)
            or not await self._filter.is_open(place)
        ):
            return
        try:
            message = await place.fetch_message(payload.message_id)
        except REQUEST_ERRORS as error:
            log.info("could not fetch message %s: %s", payload.message_id, error)
            return
        if any(reaction.me and str(reaction.emoji) == QUESTION for reaction in message.reactions):
            await self._process(message, message_event(message.id), Addressing.FORM)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Cancel and erase what a deleted message asked for."""
        await self._forget_deleted(payload.channel_id, [payload.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Do the same for many messages at once."""
        await self._forget_deleted(payload.channel_id, payload.message_ids)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Update the queued edit of a message that was edited; one that led to no edit is read again."""
        message, me = payload.message, self._client.user
        if me is None or not is_from_user(message) or not message.content or message.edited_at is None:
            return
        event = message_event(message.id)
        if await self._workflow.message_edited(event, text_without_mention(message, me)):
            return
        if message.edited_at - message.created_at > EDITED_WITHIN:
            return
        await self._attempts.ended(event)
        if not await self._workflow.was_requested(str(MessagePlace(message.channel.id, message.id))):
            await self._receive(message, me, f"{event}:{round(message.edited_at.timestamp() * 1000)}")

    # -- one message --------------------------------------------------------------------------------------

    async def _receive(self, message: discord.Message, me: discord.ClientUser, event: str) -> None:
        """Run a message that names the bot; of another one, decide whether it was meant."""
        if is_addressed_to(message, me) and (self._reads.reads_all or not names_role_only(message, me)):
            await self._process(message, event)
        else:
            await self._process_unaddressed(message, me, event)

    async def _process_unaddressed(
        self, message: discord.Message, me: discord.ClientUser, event: str
    ) -> None:
        """Run a message that does not name the bot, ask its author about it, or ignore it."""
        language = await self._user_locales.of(message.author.id)
        is_wordless = is_chatter(text_without_mention(message, me), language)
        if has_picture(message) and is_wordless and (offer := offer_in(message, self._reads.downloads)):
            self._recent.keep(message, offer)
        match await self._filter.decide(message, me, language):
            case Decision.RUN:
                await self._process(message, event)
            case Decision.ASK:
                await react(message, QUESTION)
            case Decision.HINT:
                await self._send_note(message, Note(Message("ping_off")), reply_context_of(message, language))
            case Decision.ROLE_HINT:
                note = Note(Message("role_mentioned"))
                await self._send_note(message, note, reply_context_of(message, language))

    async def _forget_deleted(self, channel: int, messages: Iterable[int]) -> None:
        for message in messages:
            self._recent.forget(message)
            if self._proxied.is_copied(message):
                continue
            key = str(MessagePlace(channel, message))
            cards = await self._workflow.message_deleted(message_event(message), key)
            await self._handler.own_messages.delete(cards)

    async def _process(
        self, message: discord.Message, event: str, addressing: Addressing = Addressing.MESSAGE
    ) -> None:
        """Run a message that is meant for the bot and answer it, also when something fails."""
        self._acks.arrived(message.id)
        self._proxied.acted_on(message)
        context = reply_context_of(message, await self._user_locales.of(message.author.id))
        try:
            async with self._typing_if_slow(context):
                await self._answer_once(message, event, context, addressing)
        except Exception:
            log.exception("could not handle message %s", message.id)
            if await self._send_note(message, Note(Message("unexpected")), context):
                await self._attempts.answered(event)

    async def _answer_once(
        self, message: discord.Message, event: str, context: ReplyContext, addressing: Addressing
    ) -> None:
        """Run and answer a message unless that was done before: catching up yields some messages again."""
        await know_author(message)
        recent = self._recent.of(message.channel.id, message.author.id)
        asked = replace(self._reads.edit_asked(message, context, event, recent), addressing=addressing)
        may_decode = any((asked.own, asked.replied, asked.start, asked.recent))
        async with self._attempts.at(event, is_counted=may_decode) as attempt:
            if attempt is Attempt.OVER:
                return
            if attempt is Attempt.GIVEN_UP:
                reply: Reply | None = Note(Message("tried_twice"))
            else:
                reply = await self._workflow.handle(asked)
            await answer_message(message, reply, self._handler.renderer, context, self._handler.own_messages)
            await self._attempts.answered(event)
        if not isinstance(reply, Accepted):
            self._acks.answered(message.id)

    async def _send_note(self, message: discord.Message, note: Note, context: ReplyContext) -> bool:
        """Answer with a note; False when that failed."""
        try:
            await answer_message(message, note, self._handler.renderer, context, self._handler.own_messages)
        except REQUEST_ERRORS:
            log.warning("could not answer message %s", message.id)
            return False
        return True

    # -- the typing indicator -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _typing_if_slow(self, context: ReplyContext) -> AsyncIterator[None]:
        """Show the typing indicator when the block takes long, as a large download does."""
        typing = asyncio.create_task(self._type_after_delay(context))
        try:
            yield
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def _type_after_delay(self, context: ReplyContext) -> None:
        await asyncio.sleep(self._typing_delay_s)
        await self._signs.type_in(context)
