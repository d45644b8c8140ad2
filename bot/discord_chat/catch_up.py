"""Messages missed while the bot was away: looked up once it is back.

Where nothing was said since, nothing is asked: a channel's newest message id comes with the connection.
The look goes back a little further than needed, since the workflow does nothing twice for one message.
"""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

import discord

from bot.discord_chat.keys import CHAT

SEEN_KEY, DMS_KEY = f"{CHAT}:last_seen", f"{CHAT}:dms"
OVERLAP = timedelta(minutes=5)
MAX_AWAY = timedelta(days=1)  # older wishes are stale; nobody waits for them
PER_CHANNEL, DMS_KEPT = 100, 50

log = logging.getLogger(__name__)


class Memory(Protocol):
    """A few lasting words; the SessionStore has them."""

    async def recall(self, key: str) -> str | None: ...
    async def remember(self, key: str, value: str) -> None: ...


class CatchUp:
    """Remembers how far the bot has listened, and finds what came after."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._last_seen = 0
        self._dms: list[int] = []

    async def note(self, message: discord.Message) -> None:
        """This message was dealt with."""
        if message.guild is None and message.channel.id not in self._dms[-1:]:
            others = [dm for dm in await self._known_dms() if dm != message.channel.id]
            self._dms = [*others, message.channel.id][-DMS_KEPT:]
            await self._memory.remember(DMS_KEY, json.dumps(self._dms))
        if message.id > self._last_seen:
            self._last_seen = message.id
            await self._memory.remember(SEEN_KEY, str(message.id))

    async def _known_dms(self) -> list[int]:
        if not self._dms:
            self._dms = json.loads(await self._memory.recall(DMS_KEY) or "[]")
        return self._dms

    async def missed(self, client: discord.Client) -> AsyncIterator[discord.Message]:
        """What was said since the last noted message, channel by channel, oldest first."""
        seen = int(await self._memory.recall(SEEN_KEY) or 0)
        if not seen:
            return
        earliest = discord.utils.utcnow() - MAX_AWAY
        since = max(discord.utils.snowflake_time(seen) - OVERLAP, earliest)
        dms = [client.get_partial_messageable(dm) for dm in await self._known_dms()]
        for channel in [*_channels_with_news(client, seen), *dms]:
            try:
                async for message in channel.history(limit=PER_CHANNEL, after=since, oldest_first=True):
                    yield message
            except (discord.HTTPException, OSError) as error:
                log.info("could not look for missed messages in %s: %s", channel.id, error)


def _channels_with_news(client: discord.Client, seen: int) -> list[discord.TextChannel | discord.Thread]:
    """Text channels and threads the bot may read whose newest message is newer than `seen`."""
    channels: list[discord.TextChannel | discord.Thread] = []
    for guild in client.guilds:
        channels += [*guild.text_channels, *guild.threads]
    return [c for c in channels if (c.last_message_id or 0) > seen and _may_look_back(c)]


def _may_look_back(channel: discord.TextChannel | discord.Thread) -> bool:
    allowed = channel.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history
