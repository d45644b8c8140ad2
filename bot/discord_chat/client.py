"""The Discord client: listens, acknowledges first, asks the workflow, and shows what it answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol, Self

import discord
from discord.ext import commands

from bot.discord_chat.answering import acknowledge, answer_interaction, answer_message
from bot.discord_chat.buttons import CHOOSE, RELEASE, ButtonId, CardButton, RefineModal, read_modal
from bot.discord_chat.catch_up import CatchUp, Memory
from bot.discord_chat.cogs import COGS
from bot.discord_chat.desk import Interaction, moderates, origin_of
from bot.discord_chat.downloads import Downloads
from bot.discord_chat.drawing import Drawing
from bot.discord_chat.errors import DownloadRefused
from bot.discord_chat.inbound import edit_asked, hear, is_for_me, source_of
from bot.discord_chat.keys import CHAT
from bot.discord_chat.outbound import DiscordChat
from bot.discord_chat.pace import PAUSE_S
from bot.discord_chat.telemetry import AckTimes, request_counter
from bot.discord_chat.views import version_on, words_kept
from bot.events import Act, CancelAsked, EditAsked, Event, pressed
from bot.limits import Limits
from bot.metrics import Metrics
from bot.replies import Accepted, Note, Reply, Say

PATIENCE_S = 1.0  # after which a person is shown that the bot is at it
log = logging.getLogger(__name__)


class Workflow(Protocol):
    """What the chat needs of bot.workflow.EditWorkflow."""

    @property
    def metrics(self) -> Metrics: ...
    @property
    def limits(self) -> Limits: ...
    def connect(self, chat: DiscordChat) -> None: ...
    async def resume(self, chat: str) -> int: ...
    async def handle(self, event: Event) -> Reply | None: ...
    async def picture(self, key: str) -> bytes: ...


class EditBot(commands.Bot):
    """One connection to Discord; `async with` opens and closes everything it owns."""

    def __init__(
        self,
        workflow: Workflow,
        downloads: Downloads,
        memory: Memory,
        *,
        message_content: bool = False,
        pause_s: float = PAUSE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`pause_s`: least time between two edits of a card; `patience_s`: longest time without any sign."""
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            allowed_contexts=discord.app_commands.AppCommandContext(guild=True, dm_channel=True),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=False),
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_ratelimit_timeout=30.0,
            http_trace=request_counter(workflow.metrics),
        )
        self.workflow, self.downloads, self._patience_s = workflow, downloads, patience_s
        self.drawing = Drawing(workflow.picture)
        self.metrics = workflow.metrics
        self._acks = AckTimes(self.metrics)
        self.chat = DiscordChat(self, self.drawing, self._acks, pause_s)
        self._catch_up = CatchUp(memory)

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
        self.add_dynamic_items(CardButton)
        for cog in COGS:
            await self.add_cog(cog(self))
        self.tree.error(self._command_failed)
        await self._catch_up.load()
        self.workflow.connect(self.chat)
        resumed = await self.workflow.resume(CHAT)
        log.info("resumed %d unfinished turns", resumed)
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
        """Do what a message meant for the bot asks; everything else is not even looked at."""
        await self._catch_up.heard(message)
        if self.user is None or not is_for_me(message, self.user):
            return
        self._acks.arrived(message.id)
        try:
            async with self._typing_if_slow(message):
                await self._answer(message)
        except Exception:
            log.exception("could not handle message %s", message.id)
            await self._apologise(message)

    @asynccontextmanager
    async def _typing_if_slow(self, message: discord.Message) -> AsyncIterator[None]:
        """Show the bot typing when the block takes long, as with a large picture on a slow line."""
        typing = asyncio.create_task(self._type_after_patience(message))
        try:
            yield
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def _type_after_patience(self, message: discord.Message) -> None:
        await asyncio.sleep(self._patience_s)
        await message.channel.typing()
        self._acks.answered(message.id)

    async def _answer(self, message: discord.Message) -> None:
        assert self.user is not None
        heard = hear(message, self.user)
        reply: Reply | None
        try:
            picture = await self.downloads.fetch(heard.file.url, heard.file.size) if heard.file else None
        except DownloadRefused as refusal:
            reply = Note(str(refusal))
        else:
            reply = await self.workflow.handle(edit_asked(message, heard, picture))
        await answer_message(message, reply, self.drawing, source_of(message))
        if not isinstance(reply, Accepted):
            self._acks.answered(message.id)

    async def _apologise(self, message: discord.Message) -> None:
        try:
            await answer_message(message, Note(Say.UNEXPECTED()), self.drawing, source_of(message))
        except (discord.DiscordException, OSError):
            log.warning("could not even apologise for message %s", message.id)

    # -- interactions -------------------------------------------------------------------------------------

    async def acknowledge(self, interaction: Interaction) -> bool:
        """Tell Discord that an answer will come; False when nothing may be done in the person's name."""
        with self.metrics.ack_seconds.time():
            return await acknowledge(interaction)

    async def ask(self, interaction: Interaction, event: Event) -> None:
        """Answer an acknowledged interaction with what the workflow says to the event."""
        reply = await self.workflow.handle(event)
        await answer_interaction(interaction, reply, self.drawing)

    async def answer(self, interaction: Interaction, reply: Reply) -> None:
        """Answer an acknowledged interaction with this."""
        await answer_interaction(interaction, reply, self.drawing)

    async def pressed(self, interaction: Interaction, button: ButtonId) -> None:
        """A button of some card; Refine first asks for words."""
        if button.release != RELEASE or button.act not in {*Act, CHOOSE}:
            await interaction.response.send_message(Say.OLD_BUTTON(version=button.turn), ephemeral=True)
        elif button.act == Act.REFINE:
            await interaction.response.send_modal(self._refine_modal(interaction, button))
        elif await self.acknowledge(interaction):
            if button.act == CHOOSE:
                words = words_kept(interaction.message)
                await self.guarded(interaction, edit_by(interaction, words, button.turn))
            else:
                await self.guarded(interaction, press_by(interaction, button))

    def _refine_modal(self, interaction: Interaction, button: ButtonId) -> RefineModal:
        version = version_on(interaction.message)
        return RefineModal(button, version, self.workflow.limits.instruction_chars)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Sent modals come here; commands and buttons find their way by themselves."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        if sent := read_modal(interaction.data or {}):
            button, words = sent
            if await self.acknowledge(interaction):
                await self.guarded(interaction, edit_by(interaction, words, button.turn))

    async def guarded(self, interaction: Interaction, event: Event) -> None:
        """`ask`, with a sentence instead of silence when something breaks."""
        try:
            await self.ask(interaction, event)
        except Exception as error:
            await self._interaction_failed(interaction, error)

    async def _command_failed(
        self, interaction: Interaction, error: discord.app_commands.AppCommandError
    ) -> None:
        await self._interaction_failed(interaction, error)

    async def _interaction_failed(self, interaction: Interaction, error: Exception) -> None:
        log.error("interaction %s failed", interaction.id, exc_info=error)
        try:
            await interaction.edit_original_response(content=Say.UNEXPECTED(), view=None, attachments=[])
        except (discord.DiscordException, OSError):
            log.warning("could not even apologise for interaction %s", interaction.id)


def intents(*, message_content: bool) -> discord.Intents:
    """The least that is needed; message content is a privilege the operator may have."""
    return discord.Intents(
        guilds=True, guild_messages=True, dm_messages=True, message_content=message_content
    )


def edit_by(interaction: Interaction, words: str, turn: str) -> EditAsked:
    """Words for a version named by its turn."""
    return EditAsked(**origin_of(interaction), text=words, from_turn=turn)


def press_by(interaction: Interaction, button: ButtonId) -> Event:
    """The event of a pressed button; moderators may cancel what others asked for."""
    if button.act == Act.CANCEL:
        return CancelAsked(
            **origin_of(interaction), turn=button.turn, may_cancel_others=moderates(interaction)
        )
    return pressed(Act(button.act), button.turn, **origin_of(interaction))
