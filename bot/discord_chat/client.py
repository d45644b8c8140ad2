"""The Discord client: listens, acknowledges first, asks the workflow, and shows what it answers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol, Self

import discord
from discord.ext import commands

from bot.chat.events import EditAsked, Event, GridAsked, QueueAsked, VariationAsked, origin
from bot.chat.replies import Accepted, Decided, Erased, Note, Queue, Reply, Say, seconds_in_words
from bot.discord_chat.commands import COGS, message_menus
from bot.discord_chat.commands.command_translator import CommandTranslator
from bot.discord_chat.errors import DownloadRefused
from bot.discord_chat.gateway_metrics import AckTimes, request_counter
from bot.discord_chat.ids import CHAT, MessagePlace, message_event
from bot.discord_chat.inbound.attempts import Attempt, Attempts
from bot.discord_chat.inbound.catch_up import CatchUp
from bot.discord_chat.inbound.downloads import Downloads
from bot.discord_chat.inbound.inbound_images import ChosenImages
from bot.discord_chat.inbound.message_filter import QUESTION, Decision, MessageFilter
from bot.discord_chat.inbound.message_handler import (
    edit_asked,
    is_addressed_to,
    is_from_user,
    read_message,
    reply_context_of,
    text_without_mention,
)
from bot.discord_chat.inbound.reply_context import ReplyContext
from bot.discord_chat.interaction_context import Interaction
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.responses import (
    acknowledge,
    answer_interaction,
    answer_message,
    is_user_install_only,
    reply_context_of_interaction,
)
from bot.discord_chat.sending.edit_throttle import PAUSE_S
from bot.discord_chat.sending.outbound import DiscordChat
from bot.discord_chat.ui.buttons import ButtonId, CardButton, VersionMenu
from bot.discord_chat.ui.component_handler import ComponentHandler
from bot.discord_chat.ui.modals import read_form
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.discord_chat.user_install import MAX_WAIT_S
from bot.discord_chat.user_locales import UserLocales
from bot.i18n.catalog import known_language, speaking
from bot.ops.metrics import Metrics
from bot.policy.limits import Limits
from conversations.store.session_store import SessionStore

TYPING_DELAY_S = 1.0  # after which a person is shown that the bot is at it
GUILD_READY_TIMEOUT_S = 2.0  # what discord.py takes
log = logging.getLogger(__name__)


class Workflow(Protocol):
    """What the chat needs of bot.workflow.dispatcher.EditWorkflow."""

    @property
    def metrics(self) -> Metrics: ...
    @property
    def limits(self) -> Limits: ...
    def connect(self, chat: DiscordChat) -> None: ...
    async def resume(self, chat: str) -> int: ...
    async def handle(self, event: Event) -> Reply | None: ...
    async def picture(self, key: str) -> bytes: ...
    async def message_deleted(self, event_id: str, message: str | None = None) -> tuple[str, ...]: ...
    async def message_edited(self, event_id: str, text: str) -> bool: ...


class EditBot(commands.Bot):
    """One connection to Discord; `async with` opens and closes everything it owns."""

    def __init__(
        self,
        workflow: Workflow,
        downloads: Downloads,
        store: SessionStore,
        *,
        message_content: bool = False,
        edit_channels: Iterable[int] = (),
        pause_s: float = PAUSE_S,
        typing_delay_s: float = TYPING_DELAY_S,
        guild_ready_timeout_s: float = GUILD_READY_TIMEOUT_S,
    ) -> None:
        """`edit_channels`: where plain messages may be meant for the bot, if it may read them.

        `pause_s`: least time between two edits of a card; `patience_s`: longest time without any sign;
        `servers_s`: how long after the last server was announced all of them are.
        """
        self.message_filter = MessageFilter(store, edit_channels, reads_all=message_content)
        super().__init__(
            command_prefix=commands.when_mentioned,
            guild_ready_timeout=guild_ready_timeout_s,
            help_command=None,
            allowed_contexts=discord.app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=True),
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=30.0,
            http_trace=request_counter(workflow.metrics),
        )
        self.workflow, self.downloads, self._typing_delay_s = workflow, downloads, typing_delay_s
        self._store = store
        self.renderer, self.chosen_images, self.user_locales = (
            Renderer(workflow.picture),
            ChosenImages(),
            UserLocales(store),
        )
        self.metrics = workflow.metrics
        self._acks = AckTimes(self.metrics)
        self.own_messages = OwnMessages(self)
        self.chat = DiscordChat(self, self.renderer, self._acks, self.own_messages, pause_s)
        self.components = ComponentHandler(self)
        self._catch_up, self._attempts = CatchUp(store.chats), Attempts(store)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.chat.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.chat.__aexit__(kind, error, trace)
        await super().__aexit__(kind, error, trace)
        await self.downloads.close()

    # -- starting -----------------------------------------------------------------------------------------

    async def setup_hook(self) -> None:
        """Logged in, not yet connected: register what can be pressed and used, take up unfinished turns."""
        self.add_dynamic_items(CardButton, VersionMenu)
        for cog in COGS:
            await self.add_cog(cog(self))
        for menu in message_menus(self.components):
            self.tree.add_command(menu)
        self.tree.error(self._command_failed)
        await self._catch_up.load()
        self.workflow.connect(self.chat)
        resumed = await self.workflow.resume(CHAT)
        log.info("resumed %d unfinished turns", resumed)
        await self.tree.set_translator(CommandTranslator())
        try:
            await self.tree.sync()
        except (discord.HTTPException, OSError) as error:
            log.warning("could not register the commands; mentions and DMs work all the same: %s", error)

    async def on_connect(self) -> None:
        """A connection begins."""
        self._catch_up.connected()

    async def on_ready(self) -> None:
        """Connected, for the first time or anew: answer what was said meanwhile."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        async for message in self._catch_up.missed(self):
            await self.on_message(message)
        await self._catch_up.caught_up()

    async def on_resumed(self) -> None:
        """The line broke and was mended; Discord tells what was missed."""
        self.metrics.gateway_reconnects.inc()

    # -- messages -----------------------------------------------------------------------------------------

    async def on_message(self, message: discord.Message, /) -> None:
        """Do what a message meant for the bot asks."""
        await self._catch_up.heard(message)
        if self.user is None or not is_from_user(message):
            return
        if is_addressed_to(message, self.user):
            await self._process(message)
        else:
            await self._process_unaddressed(message, self.user)

    async def _process_unaddressed(self, message: discord.Message, me: discord.ClientUser) -> None:
        """A message that does not name the bot."""
        language = await self.user_locales.of(message.author.id)
        match await self.message_filter.decide(message, me, language):
            case Decision.RUN:
                await self._process(message)
            case Decision.ASK:
                await self._ask_by_reaction(message)
            case Decision.HINT:
                with speaking(language):
                    await self._tell(message, Note(Say.PING_OFF()), reply_context_of(message, language))

    async def _ask_by_reaction(self, message: discord.Message) -> None:
        try:
            await message.add_reaction(QUESTION)
        except (discord.HTTPException, OSError) as error:
            log.info("could not ask about message %s: %s", message.id, error)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody says that their message was meant for the bot."""
        if str(payload.emoji) != QUESTION or payload.user_id != payload.message_author_id:
            return
        place = self.get_channel(payload.channel_id)
        if not isinstance(place, discord.abc.Messageable) or not await self.message_filter.is_open(place):
            return
        try:
            message = await place.fetch_message(payload.message_id)
        except (discord.HTTPException, OSError) as error:
            log.info("could not look at message %s: %s", payload.message_id, error)
            return
        if any(reaction.me and str(reaction.emoji) == QUESTION for reaction in message.reactions):
            await self._process(message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """What a deleted message asked for is forgotten."""
        await self._forget_deleted(payload.channel_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """The same for many at once."""
        await self._forget_deleted(payload.channel_id, payload.message_ids)

    async def _forget_deleted(self, channel: int, messages: Iterable[int]) -> None:
        for message in messages:
            key = str(MessagePlace(channel, message))
            await self.own_messages.delete(await self.workflow.message_deleted(message_event(message), key))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """An edit that still waits follows the words that asked for it."""
        message = payload.message
        if self.user is not None and is_from_user(message) and message.content:
            await self.workflow.message_edited(
                message_event(message.id), text_without_mention(message, self.user)
            )

    async def _process(self, message: discord.Message) -> None:
        """A message meant for the bot."""
        self._acks.arrived(message.id)
        context = reply_context_of(message, await self.user_locales.of(message.author.id))
        with speaking(context.language):
            try:
                async with self._typing_if_slow(message):
                    await self._answer(message, context)
            except Exception:
                log.exception("could not handle message %s", message.id)
                if await self._tell(message, Note(Say.UNEXPECTED()), context):
                    await self._attempts.answered(message_event(message.id))

    @asynccontextmanager
    async def _typing_if_slow(self, message: discord.Message) -> AsyncIterator[None]:
        """Show the bot typing when the block takes long, as with a large picture on a slow line."""
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

    async def _answer(self, message: discord.Message, context: ReplyContext) -> None:
        """Do what it asks, unless it was answered before: catching up hears some messages again."""
        assert self.user is not None
        event, heard = message_event(message.id), read_message(message, self.user)
        async with self._attempts.at(event, is_counted=heard.image is not None) as attempt:
            if attempt is Attempt.OVER:
                return
            reply: Reply | None
            try:
                if attempt is Attempt.GIVEN_UP:
                    raise DownloadRefused(Say.TRIED_TWICE())
                picture = await self.downloads.fetch(heard.image.file) if heard.image else None
            except DownloadRefused as refusal:
                reply = Note(str(refusal))
            else:
                reply = await self.workflow.handle(edit_asked(message, heard, picture, context))
            await answer_message(message, reply, self.renderer, context)
            await self._attempts.answered(event)
        if not isinstance(reply, Accepted):
            self._acks.answered(message.id)

    async def _tell(self, message: discord.Message, note: Note, context: ReplyContext) -> bool:
        """Answer with a sentence; whether that went out."""
        try:
            await answer_message(message, note, self.renderer, context)
        except (discord.DiscordException, OSError):
            log.warning("could not answer message %s", message.id)
            return False
        return True

    # -- interactions: the desk of commands, buttons and forms --------------------------------------------

    @property
    def limits(self) -> Limits:
        """The numbers people are held to."""
        return self.workflow.limits

    async def acknowledge(self, interaction: Interaction) -> bool:
        """Tell Discord that an answer will come; False when nothing may be done in the person's name."""
        with self.metrics.ack_seconds.time():
            return await acknowledge(interaction)

    async def consult(self, event: Event) -> Reply | None:
        """What the workflow says to the event; nobody is answered by it."""
        return await self.workflow.handle(event)

    async def respond(self, interaction: Interaction, event: Event) -> None:
        """Answer an acknowledged interaction with what the workflow says to the event."""
        reply = await self._too_late_note(interaction, event) or await self.workflow.handle(event)
        await self._answer_interaction(interaction, reply)

    async def send_reply(self, interaction: Interaction, reply: Reply) -> None:
        """Answer an acknowledged interaction with this."""
        await self._answer_interaction(interaction, reply)

    async def send_outgoing(self, interaction: Interaction, outgoing: Outgoing) -> None:
        """Answer an acknowledged interaction with something drawn."""
        await interaction.edit_original_response(**outgoing.to_edit())

    async def _answer_interaction(self, interaction: Interaction, reply: Reply | None) -> None:
        language = await self.user_locales.learn(interaction.user.id, interaction.locale)
        with speaking(language):
            context = reply_context_of_interaction(interaction, language)
            await answer_interaction(interaction, reply, self.renderer, context)
        if isinstance(reply, Erased | Decided):
            await self.own_messages.delete(reply.messages)

    async def _too_late_note(self, interaction: Interaction, event: Event) -> Note | None:
        """Why an edit would come too late, where Discord takes answers for a quarter of an hour only."""
        if not isinstance(event, EditAsked | VariationAsked | GridAsked) or not is_user_install_only(
            interaction
        ):
            return None
        queue = await self.workflow.handle(QueueAsked(**origin(event)))
        wait_s = queue.wait_s if isinstance(queue, Queue) else None
        if wait_s is None or wait_s < MAX_WAIT_S:
            return None
        with speaking(event.source.language):
            return Note(Say.LINE_TOO_LONG_HERE(seconds=seconds_in_words(wait_s)))

    async def pressed(self, interaction: Interaction, button: ButtonId) -> None:
        """A button of some card."""
        await self.components.pressed(interaction, button)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Sent forms come here; commands and buttons find their way by themselves."""
        if interaction.type is discord.InteractionType.modal_submit and (form := read_form(interaction)):
            await self.components.sent(interaction, form)

    async def run_guarded(self, interaction: Interaction, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work of an acknowledged interaction, with a sentence instead of silence when it breaks."""
        try:
            await work()
        except Exception as error:
            await self._interaction_failed(interaction, error)

    async def _command_failed(
        self, interaction: Interaction, error: discord.app_commands.AppCommandError
    ) -> None:
        await self._interaction_failed(interaction, error)

    async def _interaction_failed(self, interaction: Interaction, error: Exception) -> None:
        log.error("interaction %s failed", interaction.id, exc_info=error)
        with speaking(known_language(interaction.locale)):
            sentence = Say.UNEXPECTED()
        try:
            await interaction.edit_original_response(content=sentence, view=None, attachments=[])
        except (discord.DiscordException, OSError):
            log.warning("could not even apologise for interaction %s", interaction.id)


def intents(*, message_content: bool) -> discord.Intents:
    """The least that is needed; message content is a privilege the operator may have.

    Reactions are of use only with it: they answer whether plain words were meant for the bot.
    """
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        message_content=message_content,
        guild_reactions=message_content,
    )
