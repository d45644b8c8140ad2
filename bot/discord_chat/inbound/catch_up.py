"""Find messages that were missed while the bot was offline.

A channel without newer messages costs no request: its newest message id comes with the connection. The search
goes back further than needed (OVERLAP), which is safe because no message is answered twice.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import CHAT, channel_key, channel_of
from conversations.store.chat_tables import ChatTables

OVERLAP = timedelta(minutes=5)
MAX_AWAY = timedelta(days=1)  # older requests are stale
KEEP_EVERY_S = 60.0  # far below OVERLAP, so no message falls between two saved positions
PER_CHANNEL, DMS_KEPT = 500, 50
DM_SHARD = 0  # Discord sends direct messages there
READ_TRIES, RETRY_S = (
    3,
    5.0,
)  # of a channel, where the connection fails; discord.py repeats what fails otherwise

FRESH = timedelta(hours=1)
ReadChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

log = logging.getLogger(__name__)


class CatchUp:
    """Stores the reading position of the bot, and finds the messages after it.

    Call `load` and `expect` once at the start; `disconnected` whenever a connection (shard) is lost;
    `connected` whenever a session begins, before any message arrives on it; then `missed` and `caught_up`.
    The stored position does not pass that of a shard that has not caught up, so a bot killed meanwhile
    starts again from there.
    """

    def __init__(
        self,
        chats: ChatTables,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sleep` waits out the rate limits and broken connections that discord.py does not."""
        self._chats, self._clock, self._sleep = chats, clock, sleep
        self._newest = 0  # id of the newest message received
        self._positions: dict[int, int] = {}  # the same when a shard was lost; of those that may lack some
        self._behind: set[int] = set()  # those of them that no resumed session completes
        self._reading: set[int] = set()  # that catch up now; of those the ones with a new session since,
        self._renewed: set[int] = set()  # and the ones that were lost
        self._lost: set[int] = set()
        self._kept_at = 0.0
        self._dms: list[int] = []

    async def load(self) -> None:
        """Load the reading position of the last run."""
        self._newest = await self._chats.newest_message(CHAT) or 0
        self._dms = [channel_of(key) or 0 for key in await self._chats.direct_channels(CHAT)]

    def expect(self, shards: int) -> None:
        """So many shards are about to connect for the first time."""
        for shard in range(shards):
            self.connected(shard)

    def disconnected(self, shard: int) -> None:
        """A shard is lost: messages after the newest one received may be missed."""
        if self._newest:  # else the bot never ran, and has missed nothing
            self._positions.setdefault(shard, self._newest)
        if shard in self._reading:
            self._lost.add(shard)

    def connected(self, shard: int) -> None:
        """A new session begins: it tells nothing of what was missed."""
        self.disconnected(shard)
        self._behind.add(shard)
        if shard in self._reading:
            self._renewed.add(shard)

    def resumed(self, shard: int) -> None:
        """The old session goes on: it tells what was missed since."""
        self._lost.discard(shard)
        if shard not in self._behind:
            self._positions.pop(shard, None)

    async def caught_up(self, shard: int) -> None:
        """Every message from before the session was processed, unless it ended meanwhile."""
        self._reading.discard(shard)
        if shard in self._renewed:  # what it missed meanwhile is read next, from the same position
            return
        self._behind.discard(shard)
        if shard not in self._lost:
            self._positions.pop(shard, None)
        self._newest = max(self._newest, discord.utils.time_snowflake(discord.utils.utcnow()))
        await self._keep()

    async def received(self, message: discord.Message) -> None:
        """A message arrived, for the bot or not."""
        self._newest = max(self._newest, message.id)
        if message.guild is None and message.channel.id not in self._dms[-1:]:
            others = [dm for dm in self._dms if dm != message.channel.id]
            self._dms = [*others, message.channel.id][-DMS_KEPT:]
            await self._chats.add_direct_channel(CHAT, channel_key(message.channel.id), DMS_KEPT)
        if self._clock() - self._kept_at >= KEEP_EVERY_S:
            await self._keep()

    async def _keep(self) -> None:
        self._kept_at = self._clock()
        await self._chats.set_newest_message(CHAT, min([self._newest, *self._positions.values()]))

    async def missed(self, client: discord.Client, shard: int) -> AsyncIterator[discord.Message]:
        """Messages for a shard since its position, channel by channel, oldest first."""
        self._reading.add(shard)
        self._renewed.discard(shard)
        self._lost.discard(shard)
        position = self._positions.get(shard)
        if position is None:
            return
        since = max(discord.utils.snowflake_time(position) - OVERLAP, discord.utils.utcnow() - MAX_AWAY)
        dms = [client.get_partial_messageable(dm) for dm in self._dms] if shard == DM_SHARD else []
        for channel in [*_channels_with_news(client, shard, since), *dms]:
            for message in _worth_answering(await self._read(channel, since)):
                yield message

    async def _read(self, channel: discord.abc.Messageable, since: datetime) -> list[discord.Message]:
        """The messages of a channel since then, oldest first; as many as could be read."""
        found: list[discord.Message] = []
        failed = 0
        while True:
            after: datetime | discord.Message = found[-1] if found else since
            left = PER_CHANNEL - len(found)
            try:
                async for message in channel.history(limit=left, after=after, oldest_first=True):
                    found.append(message)
                return found
            except discord.RateLimited as error:
                log.warning("Discord lets the bot read on in %.0f s", error.retry_after)
                await self._sleep(error.retry_after)
            except REQUEST_ERRORS as error:
                failed += 1
                if isinstance(error, discord.HTTPException) or failed == READ_TRIES:
                    log.info("could not read the history of %s: %s", channel, error)
                    return found
                await self._sleep(RETRY_S)


def _worth_answering(messages: list[discord.Message]) -> list[discord.Message]:
    """All of the last hour; of the older ones the newest of each user, as the others are not waited for."""
    fresh_since = discord.utils.utcnow() - FRESH
    newest = {message.author.id: message.id for message in messages}
    return [m for m in messages if m.created_at >= fresh_since or newest[m.author.id] == m.id]


def _channels_with_news(client: discord.Client, shard: int, since: datetime) -> list[ReadChannel]:
    """The shard's readable text channels, voice chats, threads and posts with a message after `since`."""
    oldest = discord.utils.time_snowflake(since)
    channels: list[ReadChannel] = []
    for guild in (guild for guild in client.guilds if guild.shard_id == shard):
        channels += [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
    return [c for c in channels if (c.last_message_id or 0) > oldest and _may_look_back(c)]


def _may_look_back(channel: ReadChannel) -> bool:
    allowed = channel.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history
