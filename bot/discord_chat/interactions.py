"""Interactions: acknowledged in one place, turned into events, answered with what the workflow replies.

A handler of a command, button or form is a method under `@acknowledged` that returns what to answer with: an
event for the workflow, a reply, or something already laid out. A method under `@opens_form` returns a form.
"""

import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

import discord
from discord import ui

from bot.chat.events import EditAsked, Event, GridAsked, Origin, QueueAsked, VariationAsked
from bot.chat.replies import Accepted, Card, Decided, Erased, Note, Queue, Reply, duration
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import channel_key, interaction_event, user_key
from bot.discord_chat.inbound.message_content import ReadsMessages
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.permissions import member_since, role_keys
from bot.discord_chat.responses import Interaction as Interaction
from bot.discord_chat.responses import (
    answer_interaction,
    is_user_install_only,
    reply_context_of_interaction,
)
from bot.discord_chat.sending.shown_messages import ShownMessages
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.discord_chat.user_install import MAX_WAIT_S
from bot.discord_chat.user_locales import UserLocales
from bot.i18n.catalog import match_locale
from bot.workflow.dispatcher import EditWorkflow
from conversations.messages import Message

Response = Event | Reply | Outgoing | None  # an event is run first; None removes the "thinking…"
Form = ui.Modal | Note  # the note says why there is no form to open
LINK_WITHIN_S = 4.0  # an edit that is over sooner gets no card, only a result
ANSWER_LASTS_S = 14 * 60.0  # a little less than Discord takes changes of it
log = logging.getLogger(__name__)


class InteractionHandler:
    """Acknowledges interactions, runs their events and sends the answers; one per connection."""

    def __init__(
        self,
        workflow: EditWorkflow,
        renderer: Renderer,
        reads: ReadsMessages,
        user_locales: UserLocales,
        own_messages: OwnMessages,
        shown: ShownMessages,
    ) -> None:
        self.workflow, self._user_locales = workflow, user_locales
        self.renderer, self.reads, self.own_messages = renderer, reads, own_messages
        self._shown = shown

    async def respond(self, interaction: Interaction, work: Callable[[], Awaitable[Response]]) -> None:
        """Acknowledge, run `work`, and answer with its outcome; an error is logged and reported to the user.

        Does nothing when Discord no longer takes the acknowledgement: then the user has seen a failure, and
        nothing may be done in their name.
        """
        if not await self._acknowledge(interaction):
            return
        try:
            await self._send(interaction, await work())
        except Exception as error:
            await self.failed(interaction, error)

    async def open_form(self, interaction: Interaction, work: Callable[[], Awaitable[Form]]) -> None:
        """Open the form that `work` returns. It must be the first response, so `work` has about 2 s.

        Where Discord no longer takes it, the user has seen a failure; that is logged and nothing else.
        """
        try:
            await self._open(interaction, await work())
        except Exception as error:
            await self.failed(interaction, error)

    async def _open(self, interaction: Interaction, form: Form) -> None:
        try:
            if isinstance(form, Note):
                text = discord_translator(interaction.locale)(form.text)
                await interaction.response.send_message(text, ephemeral=True)
            else:
                await interaction.response.send_modal(form)
        except discord.NotFound as error:
            log.warning("could not open the form of interaction %s: %s", interaction.id, error)

    async def failed(self, interaction: Interaction, error: Exception) -> None:
        """Log an unexpected error and tell the user that something went wrong."""
        log.error("interaction %s failed", interaction.id, exc_info=error)
        sentence = discord_translator(interaction.locale)(Message("unexpected"))
        try:
            if interaction.response.is_done():
                await interaction.edit_original_response(content=sentence, view=None, attachments=[])
            else:
                await interaction.response.send_message(sentence, ephemeral=True)
        except REQUEST_ERRORS:
            log.warning("could not report the failure of interaction %s", interaction.id)

    async def _acknowledge(self, interaction: Interaction) -> bool:
        """Defer with an answer only the user sees, within Discord's 3 s; False when that is refused."""
        with self.workflow.metrics.ack_seconds.time():
            try:
                await interaction.response.defer(ephemeral=True, thinking=True)
            except REQUEST_ERRORS as error:
                log.warning("could not acknowledge interaction %s: %s", interaction.id, error)
                return False
        return True

    async def _send(self, interaction: Interaction, answer: Response) -> None:
        match answer:
            case Outgoing():
                await interaction.edit_original_response(**answer.to_edit())
            case Event():
                # Before the event: an erasure must leave nothing to be stored after it.
                await self._user_locales.learn(interaction.user.id, interaction.locale)
                too_late = await self._too_late(interaction, answer)
                await self._send_reply(interaction, too_late or await self.workflow.handle(answer))
            case _:
                await self._send_reply(interaction, answer)

    async def _send_reply(self, interaction: Interaction, reply: Reply | None) -> None:
        language = await self._user_locales.learn(interaction.user.id, interaction.locale)
        context = reply_context_of_interaction(interaction, language)
        if isinstance(reply, Accepted) and not context.is_private:
            await self._send_accepted(interaction, reply, context)
            return
        await answer_interaction(interaction, reply, self.renderer, context, self.own_messages)
        if isinstance(reply, Erased | Decided):
            await self.own_messages.delete(reply.messages)

    async def _send_accepted(self, interaction: Interaction, reply: Accepted, context: ReplyContext) -> None:
        """Answer with a link to the card, once it is there, and change it if the result is another message.

        One after the other, so that no older answer replaces a newer one.
        """
        turn, linked = reply.card.turn_id, None
        for is_right, within_s in ((_is_any, LINK_WITHIN_S), (_is_final, ANSWER_LASTS_S)):
            found = await self._shown.card(turn, is_right, within_s)
            if linked is None or (found is not None and found.key != linked.key):
                linked = found or reply.card
                answer = replace(reply, card=linked)
                await answer_interaction(interaction, answer, self.renderer, context, self.own_messages)
            if linked.state.is_final:
                return

    async def _too_late(self, interaction: Interaction, event: Event) -> Note | None:
        """The refusal of an edit that would end after the interaction's token has expired; else None."""
        makes_images = isinstance(event, EditAsked | VariationAsked | GridAsked)
        if not makes_images or not is_user_install_only(interaction):
            return None
        queue = await self.workflow.handle(QueueAsked(**lookup_of(interaction)))
        wait_s = queue.wait_s if isinstance(queue, Queue) else None
        if wait_s is None or wait_s < MAX_WAIT_S:
            return None
        return Note(Message("queue_too_long_here", duration=duration(wait_s)))


def _is_any(card: Card) -> bool:
    return True


def _is_final(card: Card) -> bool:
    return card.state.is_final


class HasHandler:
    """A cog, a menu or the components, whose methods may be decorated."""

    def __init__(self, handler: InteractionHandler) -> None:
        self.handler = handler
        super().__init__()


C = TypeVar("C", bound=HasHandler)
P = ParamSpec("P")
Callback = Callable[Concatenate[C, Interaction, P], Coroutine[Any, Any, None]]


def acknowledged(work: Callable[Concatenate[C, Interaction, P], Awaitable[Response]]) -> Callback[C, P]:
    """Acknowledge the interaction before `work` runs, then answer with what it returns."""

    @functools.wraps(work)
    async def callback(self: C, interaction: Interaction, /, *args: P.args, **kwargs: P.kwargs) -> None:
        await self.handler.respond(interaction, lambda: work(self, interaction, *args, **kwargs))

    return callback


def opens_form(work: Callable[Concatenate[C, Interaction, P], Awaitable[Form]]) -> Callback[C, P]:
    """Answer the interaction with the form that `work` returns; nothing is acknowledged before."""

    @functools.wraps(work)
    async def callback(self: C, interaction: Interaction, /, *args: P.args, **kwargs: P.kwargs) -> None:
        await self.handler.open_form(interaction, lambda: work(self, interaction, *args, **kwargs))

    return callback


def origin_of(interaction: Interaction) -> Origin:
    """The fields that every event of this interaction has: who, where, and which gesture."""
    context = reply_context_of_interaction(interaction, match_locale(interaction.locale))
    return Origin(
        user=user_key(interaction.user.id),
        channel=channel_key(interaction.channel_id or 0),
        event_id=interaction_event(interaction.id),
        source=context.as_request(),
        start=interaction.client.handler.reads.thread_start(interaction.channel),
        is_moderator=is_moderator(interaction),
        may_post=_may_post(interaction),
        roles=role_keys(interaction.user),
        account_since=interaction.user.created_at.timestamp(),
        member_since=member_since(interaction.user),
        is_counted=True,
        asked_at=interaction.created_at.timestamp(),
    )


def lookup_of(interaction: Interaction) -> Origin:
    """The fields of an event by which the bot looks something up to draw it."""
    return {**origin_of(interaction), "is_counted": False}


def _may_post(interaction: Interaction) -> bool:
    """Whether the user may write and attach files there; what only they see needs no permission."""
    if interaction.guild_id is None or is_user_install_only(interaction):
        return True
    allowed = interaction.permissions
    return _may_write(allowed, interaction.channel)


def _may_write(allowed: discord.Permissions, channel: object) -> bool:
    in_thread = isinstance(channel, discord.Thread)
    may_send = allowed.send_messages_in_threads if in_thread else allowed.send_messages
    return may_send and allowed.attach_files


def is_moderator(interaction: Interaction) -> bool:
    """Whether the user may decide for others here: with Manage Messages, and in a DM with the bot alone."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    return isinstance(interaction.user, discord.Member) and interaction.permissions.manage_messages
