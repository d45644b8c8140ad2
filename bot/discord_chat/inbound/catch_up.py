"""Messages missed while the bot was away: looked up once it is back.

Where nothing was said since, nothing is asked: a channel's newest message id comes with the connection.
The look goes back a little further than needed, since no message is answered twice.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import discord

from bot.discord_chat.ids import CHAT, channel_key, channel_of
from conversations.store.chat_tables import ChatTables

OVERLAP = timedelta(minutes=5)
MAX_AWAY = timedelta(days=1)  # older wishes are stale; nobody waits for them
KEEP_EVERY_S = 60.0  # seconds; far below OVERLAP, so nothing lies between
PER_CHANNEL, DMS_KEPT = 500, 50

log = logging.getLogger(__name__)


class CatchUp:
    """Remembers how far the bot has listened, and finds what came after.

    `load` once at the start; `connected` whenever a connection begins, before anything is heard on it; then
    `missed` and `caught_up`. What is remembered moves on only once the past has been dealt with, so a bot
    killed while it catches up begins again where it began.
    """

    def __init__(self, chats: ChatTables, clock: Callable[[], float] = time.monotonic) -> None:
        self._chats, self._clock = chats, clock
        self._newest = 0  # id of the newest message heard
        self._heard_before = 0  # the same, when the connection began
        self._is_behind = True
        self._kept_at = 0.0
        self._dms: list[int] = []

    async def load(self) -> None:
        """Recall how far the last run had listened."""
        self._heard_before = self._newest = await self._chats.newest_message(CHAT) or 0
        self._dms = [channel_of(key) or 0 for key in await self._chats.direct_channels(CHAT)]

    def connected(self) -> None:
        """A connection begins; what was said since the last message heard may have been missed."""
        if not self._is_behind:
            self._heard_before = self._newest
        self._is_behind = self._heard_before > 0  # the very first run has missed nothing

    async def caught_up(self) -> None:
        """Everything said before the connection began was dealt with."""
        self._is_behind = False
        self._newest = max(self._newest, discord.utils.time_snowflake(discord.utils.utcnow()))
        await self._keep()

    async def heard(self, message: discord.Message) -> None:
        """This message arrived, whoever it is for."""
        self._newest = max(self._newest, message.id)
        if message.guild is None and message.channel.id not in self._dms[-1:]:
            others = [dm for dm in self._dms if dm != message.channel.id]
            self._dms = [*others, message.channel.id][-DMS_KEPT:]
            await self._chats.add_direct_channel(CHAT, channel_key(message.channel.id), DMS_KEPT)
        if not self._is_behind and self._clock() - self._kept_at >= KEEP_EVERY_S:
            await self._keep()

    async def _keep(self) -> None:
        self._kept_at = self._clock()
        await self._chats.set_newest_message(CHAT, self._newest)

    async def missed(self, client: discord.Client) -> AsyncIterator[discord.Message]:
        """What was said since before the connection began, channel by channel, oldest first."""
        if not self._heard_before:
            return
        last_heard = discord.utils.snowflake_time(self._heard_before)
        since = max(last_heard - OVERLAP, discord.utils.utcnow() - MAX_AWAY)
        dms = [client.get_partial_messageable(dm) for dm in self._dms]
        for channel in [*_channels_with_news(client, since), *dms]:
            try:
                async for message in channel.history(limit=PER_CHANNEL, after=since, oldest_first=True):
                    yield message
            except (discord.HTTPException, OSError) as error:
                log.info("could not look for missed messages in %s: %s", channel.id, error)


def _channels_with_news(
    client: discord.Client, since: datetime
) -> list[discord.TextChannel | discord.Thread]:
    """Text channels and threads the bot may read where something was said since."""
    oldest = discord.utils.time_snowflake(since)
    channels: list[discord.TextChannel | discord.Thread] = []
    for guild in client.guilds:
        channels += [*guild.text_channels, *guild.threads]
    return [c for c in channels if (c.last_message_id or 0) > oldest and _may_look_back(c)]


def _may_look_back(channel: discord.TextChannel | discord.Thread) -> bool:
    allowed = channel.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history
