"""Messages, reactions, edits and deletions as Discord sends them: what each does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

import discord
from discord.ext import commands

from bot.chat.events import Event
from bot.chat.replies import Accepted, Note, Reply
from bot.discord_chat.gateway_metrics import AckTimes
from bot.discord_chat.ids import MessagePlace, message_event
from bot.discord_chat.inbound.attempts import Attempt, Attempts
from bot.discord_chat.inbound.catch_up import CatchUp
from bot.discord_chat.inbound.message_content import (
    AddressedMessage,
    edit_asked,
    is_addressed_to,
    is_from_user,
    read_message,
    reply_context_of,
    text_without_mention,
)
from bot.discord_chat.inbound.message_filter import QUESTION, Decision, MessageFilter
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.interactions import InteractionHandler
from bot.discord_chat.responses import answer_message
from bot.discord_chat.user_locales import UserLocales
from conversations.messages import Message

log = logging.getLogger(__name__)


class MessageWorkflow(Protocol):
    """What messages need of bot.workflow.dispatcher.EditWorkflow."""

    async def handle(self, event: Event) -> Reply | None: ...
    async def message_deleted(self, event_id: str, message: str | None = None) -> tuple[str, ...]: ...
    async def message_edited(self, event_id: str, text: str) -> bool: ...


class MessageHandler(commands.Cog):
    """Listens to messages and runs those that are meant for the bot."""

    def __init__(
        self,
        client: discord.Client,
        workflow: MessageWorkflow,
        attempts: Attempts,
        handler: InteractionHandler,
        message_filter: MessageFilter,
        user_locales: UserLocales,
        catch_up: CatchUp,
        acks: AckTimes,
        typing_delay_s: float,
    ) -> None:
        """`typing_delay_s`: delay before the typing indicator is shown."""
        self._client, self._workflow, self._attempts, self._handler = client, workflow, attempts, handler
        self._filter, self._user_locales = message_filter, user_locales
        self._catch_up, self._acks, self._typing_delay_s = catch_up, acks, typing_delay_s

    # -- listeners ----------------------------------------------------------------------------------------

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Run a message that is addressed to the bot; ask the filter about any other."""
        await self._catch_up.received(message)
        me = self._client.user
        if me is None or not is_from_user(message):
            return
        if is_addressed_to(message, me):
            await self._process(message, me)
        else:
            await self._process_unaddressed(message, me)

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
        except (discord.HTTPException, OSError) as error:
            log.info("could not fetch message %s: %s", payload.message_id, error)
            return
        if any(reaction.me and str(reaction.emoji) == QUESTION for reaction in message.reactions):
            await self._process(message, me)

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
        """Update the instruction of a queued edit whose message was edited."""
        message, me = payload.message, self._client.user
        if me is not None and is_from_user(message) and message.content:
            await self._workflow.message_edited(message_event(message.id), text_without_mention(message, me))

    # -- one message --------------------------------------------------------------------------------------

    async def _process_unaddressed(self, message: discord.Message, me: discord.ClientUser) -> None:
        """Run a message that does not name the bot, ask its author about it, or ignore it."""
        language = await self._user_locales.of(message.author.id)
        match await self._filter.decide(message, me, language):
            case Decision.RUN:
                await self._process(message, me)
            case Decision.ASK:
                await self._ask_by_reaction(message)
            case Decision.HINT:
                await self._send_note(message, Note(Message("ping_off")), reply_context_of(message, language))

    async def _ask_by_reaction(self, message: discord.Message) -> None:
        try:
            await message.add_reaction(QUESTION)
        except (discord.HTTPException, OSError) as error:
            log.info("could not react to message %s: %s", message.id, error)

    async def _forget_deleted(self, channel: int, messages: Iterable[int]) -> None:
        for message in messages:
            key = str(MessagePlace(channel, message))
            cards = await self._workflow.message_deleted(message_event(message), key)
            await self._handler.own_messages.delete(cards)

    async def _process(self, message: discord.Message, me: discord.ClientUser) -> None:
        """Run a message that is meant for the bot and answer it, also when something fails."""
        self._acks.arrived(message.id)
        context = reply_context_of(message, await self._user_locales.of(message.author.id))
        try:
            async with self._typing_if_slow(message):
                await self._answer_once(message, me, context)
        except Exception:
            log.exception("could not handle message %s", message.id)
            if await self._send_note(message, Note(Message("unexpected")), context):
                await self._attempts.answered(message_event(message.id))

    async def _answer_once(
        self, message: discord.Message, me: discord.ClientUser, context: ReplyContext
    ) -> None:
        """Run and answer a message unless that was done before: catching up yields some messages again."""
        event, addressed = message_event(message.id), read_message(message, me)
        async with self._attempts.at(event, is_counted=addressed.image is not None) as attempt:
            if attempt is Attempt.OVER:
                return
            if attempt is Attempt.GIVEN_UP:
                reply: Reply | None = Note(Message("tried_twice"))
            else:
                reply = await self._reply_to(message, addressed, context)
            await answer_message(message, reply, self._handler.renderer, context, self._handler.own_messages)
            await self._attempts.answered(event)
        if not isinstance(reply, Accepted):
            self._acks.answered(message.id)

    async def _reply_to(
        self, message: discord.Message, addressed: AddressedMessage, context: ReplyContext
    ) -> Reply | None:
        """Run the event of a message; its image is downloaded once the rules allow the edit."""
        image = addressed.image
        picture = self._handler.downloads.source(image.file) if image else None
        return await self._workflow.handle(edit_asked(message, addressed, picture, context))

    async def _send_note(self, message: discord.Message, note: Note, context: ReplyContext) -> bool:
        """Answer with a note; False when that failed."""
        try:
            await answer_message(message, note, self._handler.renderer, context, self._handler.own_messages)
        except (discord.DiscordException, OSError):
            log.warning("could not answer message %s", message.id)
            return False
        return True

    # -- the typing indicator -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _typing_if_slow(self, message: discord.Message) -> AsyncIterator[None]:
        """Show the typing indicator when the block takes long, as a large download does."""
        typing = asyncio.create_task(self._type_after_delay(message))
        try:
            yield
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def _type_after_delay(self, message: discord.Message) -> None:
        await asyncio.sleep(self._typing_delay_s)
        await message.channel.typing()
        self._acks.answered(message.id)
