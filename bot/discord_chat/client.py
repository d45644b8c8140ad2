"""The Discord client: its connections, what it registers, and the parts that answer what arrives on them.

Discord wants a connection (shard) for every 2,500 servers at most. Each is resumed and caught up by itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self

import discord
from discord.ext import commands

from bot.discord_chat.commands import COGS, OperatorCog, message_menus
from bot.discord_chat.commands.command_sync import CommandSync
from bot.discord_chat.commands.command_translator import CommandTranslator
from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.gateway_json import use_own_reader
from bot.discord_chat.gateway_metrics import AckTimes, request_counter
from bot.discord_chat.handler_tasks import end_handlers
from bot.discord_chat.ids import CHAT
from bot.discord_chat.inbound.attempts import Attempts
from bot.discord_chat.inbound.catch_up import CatchUp
from bot.discord_chat.inbound.downloads import Downloads
from bot.discord_chat.inbound.message_content import ReadsMessages
from bot.discord_chat.inbound.message_filter import MessageFilter
from bot.discord_chat.inbound.message_handler import MessageHandler
from bot.discord_chat.interactions import Interaction, InteractionHandler
from bot.discord_chat.membership import Membership
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.presence import Presence
from bot.discord_chat.sending.channel_traffic import ChannelTraffic, Pacing
from bot.discord_chat.sending.first_signs import FirstSigns
from bot.discord_chat.sending.outbound import DiscordChat
from bot.discord_chat.sending.posting import Poster
from bot.discord_chat.sending.shown_messages import ShownMessages
from bot.discord_chat.sending.threads import PictureThreads
from bot.discord_chat.ui.buttons import CardButton, VersionMenu
from bot.discord_chat.ui.component_handler import ComponentHandler
from bot.discord_chat.ui.modals import read_form
from bot.discord_chat.ui.rendering import Renderer
from bot.discord_chat.unrecorded_messages import record_earlier
from bot.discord_chat.user_locales import UserLocales
from bot.discord_chat.welcome import invitation, welcome
from bot.workflow.dispatcher import EditWorkflow
from conversations.store.session_store import SessionStore
from conversations.turn import UNFINISHED

GUILD_READY_TIMEOUT_S = 2.0  # the default of discord.py
IDENTIFY_PAUSE_S = 5.0  # Discord takes one new session in that time
ANYWHERE = discord.app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
log = logging.getLogger(__name__)


_OPTIONS: dict[str, Any] = {  # of every client
    "help_command": None,
    "allowed_contexts": ANYWHERE,
    "allowed_installs": discord.app_commands.AppInstallationType(guild=True, user=True),
    "allowed_mentions": discord.AllowedMentions.none(),
    "max_messages": None,
    "member_cache_flags": discord.MemberCacheFlags.none(),
    "chunk_guilds_at_startup": False,
    "max_ratelimit_timeout": 30.0,
}


class EditBot(commands.AutoShardedBot):
    """The connections to Discord; `async with` opens and closes everything it owns."""

    def __init__(
        self,
        workflow: EditWorkflow,
        downloads: Downloads,
        store: SessionStore,
        *,
        message_content: bool = False,
        edit_channels: Iterable[int] = (),
        pacing: Pacing | None = None,
        guild_ready_timeout_s: float = GUILD_READY_TIMEOUT_S,
        least_shards: int = 1,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`edit_channels`: channels whose unaddressed messages may be instructions, if the bot may read them.

        `pacing`: when cards and progress are shown; `guild_ready_timeout_s`: how long after the newest
        server's arrival all are taken as known; `least_shards`: connections to open even if Discord
        recommends fewer; `sleep`: waits out the longer rate limits.
        """
        use_own_reader()
        pacing = pacing or Pacing()
        self._traffic, trace = ChannelTraffic(pacing), request_counter(workflow.metrics)
        self._traffic.watch(trace)
        super().__init__(
            commands.when_mentioned,
            **_OPTIONS,
            guild_ready_timeout=guild_ready_timeout_s,
            intents=intents(message_content=message_content),
            http_trace=trace,
        )
        self._workflow, self._downloads, self.metrics = workflow, downloads, workflow.metrics
        self._store, self._least_shards, self._sleep = store, least_shards, sleep
        acks, renderer, user_locales = AckTimes(self.metrics), Renderer(workflow.pictures), UserLocales(store)
        own_messages = self._own_messages = OwnMessages(self, store.messages)
        reads = ReadsMessages(self, downloads, message_content, workflow.limits.languages)
        shown = ShownMessages()
        self.handler = InteractionHandler(workflow, renderer, reads, user_locales, own_messages, shown)
        self.components = ComponentHandler(self.handler)
        self._threads = PictureThreads(self, store)
        signs, poster = FirstSigns(self, acks), Poster(self, acks, own_messages, self._threads)
        shows = (renderer, poster, signs, self._traffic, own_messages, shown, pacing)
        self.chat = DiscordChat(self, *shows, self._threads)
        self._catch_up = CatchUp(store.chats, sleep=sleep)
        self._catching_up = asyncio.Lock()  # one connection after the other: they share the rate limits
        self._command_sync = CommandSync(store.chats, sleep)
        self.presence = Presence(self, workflow, store)
        message_filter = MessageFilter(store, edit_channels, reads_all=message_content)
        parts = (Attempts(store), self.handler, message_filter, user_locales, self._catch_up, acks, signs)
        self._messages = MessageHandler(self, *parts, pacing.typing_delay_s)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.chat.__aenter__()
        await self._command_sync.__aenter__()
        await self.presence.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = (shard.disconnect() for shard in self.shards.values())
        await asyncio.gather(*closing, return_exceptions=True)  # no more events from here on
        await end_handlers()
        await self.presence.__aexit__(kind, error, trace)
        await self._command_sync.__aexit__(kind, error, trace)
        await self.chat.__aexit__(kind, error, trace)
        await super().__aexit__(kind, error, trace)
        await self._downloads.close()

    async def setup_hook(self) -> None:
        """Register commands and components and resume unfinished turns: logged in, not yet connected."""
        self.add_dynamic_items(CardButton, VersionMenu)
        for cog in (*COGS, OperatorCog) if self._workflow.host.operators else COGS:
            await self.add_cog(cog(self.handler))
        for menu in message_menus(self.components):
            self.tree.add_command(menu)
        await self.add_cog(Membership(self, self._store.ageing))
        await self.add_cog(self._threads)
        self.tree.error(self._command_failed)
        await self._catch_up.load()
        await self.add_cog(self._messages)
        self._workflow.connect(self.chat)
        unfinished = await self._store.turns_in(*UNFINISHED)
        self.chat.expect(turn.id for turn in unfinished)
        resumed = await self._workflow.resume(CHAT)
        log.info("resumed %d unfinished turns", resumed)
        await self.tree.set_translator(CommandTranslator())
        await self._command_sync.register(self.tree)

    async def launch_shards(self) -> None:
        """Open as many connections as Discord recommends, and `least_shards` at least."""
        try:
            recommended, _, _ = await self.http.get_bot_gateway()
        except REQUEST_ERRORS as error:
            log.warning("Discord does not say how many connections it wants: %r", error)
            recommended = 1
        self.shard_count = max(recommended, self._least_shards)
        self._catch_up.expect(self.shard_count)
        await super().launch_shards()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until Discord takes another new session."""
        if not initial:
            await self._sleep(IDENTIFY_PAUSE_S)

    async def on_shard_connect(self, shard_id: int) -> None:
        """A gateway session begins."""
        self._catch_up.connected(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """A gateway connection is lost."""
        self._catch_up.disconnected(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        """A gateway session is ready, for the first time or again: answer what was missed meanwhile."""
        log.info("connection %d of %s is ready", shard_id + 1, self.shard_count)
        self.presence.forget()
        async with self._catching_up:
            async for message in self._catch_up.missed(self, shard_id):
                await self._messages.on_message(message)
            await self._catch_up.caught_up(shard_id)

    async def on_ready(self) -> None:
        """Every gateway session is ready."""
        log.info("ready as %s in %d servers", self.user, len(self.guilds))
        if self.application_id is not None:
            log.info("servers add it at %s", invitation(self.application_id))
        await record_earlier(self, self._store.messages, self._own_messages)
        await self._own_messages.delete_pending()

    async def on_shard_resumed(self, shard_id: int) -> None:
        """A gateway session was resumed; Discord replays what was missed."""
        self.metrics.gateway_reconnects.inc()
        self._catch_up.resumed(shard_id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server added the bot."""
        await welcome(guild)

    async def on_message(self, message: discord.Message, /) -> None:
        """Count the message: there are no prefix commands, and MessageHandler listens to messages."""
        self._traffic.arrived(message.channel.id)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle a submitted form; discord.py routes commands and buttons by itself."""
        if interaction.type is discord.InteractionType.modal_submit and (form := read_form(interaction)):
            await self.components.sent(interaction, form)

    async def _command_failed(
        self, interaction: Interaction, error: discord.app_commands.AppCommandError
    ) -> None:
        await self.handler.failed(interaction, error)


def intents(*, message_content: bool) -> discord.Intents:
    """The least that is needed; `message_content` is a privileged intent that the operator may have.

    Reactions are useful only with it: they answer whether an unaddressed message was meant for the bot.
    """
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        message_content=message_content,
        guild_reactions=message_content,
    )
