"""Start the Discord chat: set discord.py's addresses, log in, retry without a privileged intent."""

import asyncio
import itertools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_chat.client import EditBot
from bot.discord_chat.errors import REQUEST_ERRORS, LoginRefused
from bot.discord_chat.inbound.downloads import DownloadRules, Downloads
from bot.workflow.dispatcher import EditWorkflow
from conversations.images.decode import PictureLimits
from conversations.store.session_store import SessionStore

API_VERSION = "v10"
SHARDING_REQUIRED = 4011  # the code with which Discord closes a connection
RESHARD_PAUSES_S = (5.0, 30.0, 300.0)  # before all connections are opened again; 1,000 a day may be opened
MOST_SHARDS_GUESSED = 64  # beyond, only the number that Discord recommends counts
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiscordAddress:
    """Addresses of Discord; None means the real service, anything else a compatible server."""

    api_base: str | None = None  # "https://discord.example/api/v10"; the version may be left out
    gateway_url: str | None = None
    cdn_hosts: tuple[str, ...] = ("cdn.discordapp.com", "media.discordapp.net")

    @property
    def download_rules(self) -> DownloadRules:
        """What may be downloaded; plain http only where the API itself is reached that way."""
        plain = (self.api_base or "").startswith("http://")
        return DownloadRules(self.cdn_hosts, PictureLimits().bytes, plain_http=plain)


def point_at(address: DiscordAddress) -> None:
    """Make discord.py use this address. It keeps addresses in its classes, so there is one per process."""
    if address.api_base:
        base = address.api_base.rstrip("/")
        Route.BASE = base if re.search(r"/v\d+$", base) else f"{base}/{API_VERSION}"
        discord.Asset.BASE = str(yarl.URL(base).origin())
    # No voice: silence the warnings about its optional libraries.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    if address.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address.gateway_url)


@dataclass(frozen=True, slots=True)
class MessageAccess:
    """Whether the bot has the message-content intent, and the channels whose plain messages it may act on."""

    message_content: bool = False
    edit_channels: tuple[int, ...] = ()


MENTIONS_ONLY = MessageAccess()


async def serve_discord(
    workflow: EditWorkflow,
    store: SessionStore,
    token: str,
    address: DiscordAddress,
    message_access: MessageAccess = MENTIONS_ONLY,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Serve Discord until cancelled. LoginRefused when Discord does not serve the bot (now).

    When Discord wants more connections than there are, they are all opened again. `sleep` waits before that,
    and out the longer rate limits.
    """
    point_at(address)
    pauses_s = itertools.chain(RESHARD_PAUSES_S, itertools.repeat(RESHARD_PAUSES_S[-1]))
    least_shards = 1
    while True:
        bot = EditBot(
            workflow,
            Downloads(address.download_rules),
            store,
            message_content=message_access.message_content,
            edit_channels=message_access.edit_channels,
            least_shards=least_shards,
            sleep=sleep,
        )
        try:
            await _serve(bot, token)
            return
        except discord.PrivilegedIntentsRequired:
            if message_access == MENTIONS_ONLY:
                raise
            log.warning(
                "Discord does not grant this bot the message-content intent; going on without. "
                "Mentions, replies, DMs and commands work all the same."
            )
            message_access = MENTIONS_ONLY
        except MoreShardsWanted:
            # The number that Discord recommends may lag behind.
            least_shards = min(2 * (bot.shard_count or 1), MOST_SHARDS_GUESSED)
            pause_s = next(pauses_s)
            log.warning("Discord wants more connections than %s; again in %.0f s.", bot.shard_count, pause_s)
            await sleep(pause_s)


class MoreShardsWanted(Exception):
    """Discord closed a connection because the bot is in more servers than its connections may serve."""


async def _serve(bot: EditBot, token: str) -> None:
    async with bot:
        try:
            await bot.start(token)
        except discord.PrivilegedIntentsRequired:
            raise
        except REQUEST_ERRORS as error:
            if isinstance(error, discord.ConnectionClosed) and error.code == SHARDING_REQUIRED:
                raise MoreShardsWanted from error
            if (reason := _why_it_ended(error)) is None:
                raise
            raise LoginRefused(reason) from error


def _why_it_ended(error: Exception) -> str | None:
    """Why Discord does not serve this bot (now), in a sentence for the operator; None for other errors."""
    wrong_token = "Discord does not accept DISCORD_TOKEN; copy it again from the developer portal."
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return wrong_token
        case discord.ConnectionClosed(code=code):
            return f"Discord closed the connection for good, with the code {code}."
        case discord.RateLimited(retry_after=seconds):
            return f"Discord lets the bot log in again in {seconds:.0f} s; start it after that."
        case discord.HTTPException(status=status):
            return f"Discord answers the login with status {status}; start the bot again in a few minutes."
    return None
