"""Start the Discord chat: set discord.py's addresses, log in, retry without a privileged intent."""

import logging
import re
from dataclasses import dataclass

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_chat.client import EditBot, Workflow
from bot.discord_chat.errors import REQUEST_ERRORS, LoginRefused
from bot.discord_chat.inbound.downloads import DownloadRules, Downloads
from conversations.images.decode import PictureLimits
from conversations.store.session_store import SessionStore

API_VERSION = "v10"
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
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = (
        False  # no voice: silence the warnings about its optional libraries
    )
    if address.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address.gateway_url)


@dataclass(frozen=True, slots=True)
class MessageAccess:
    """Whether the bot has the message-content intent, and the channels whose plain messages it may act on."""

    message_content: bool = False
    edit_channels: tuple[int, ...] = ()


MENTIONS_ONLY = MessageAccess()


async def serve_discord(
    workflow: Workflow,
    store: SessionStore,
    token: str,
    address: DiscordAddress,
    message_access: MessageAccess = MENTIONS_ONLY,
) -> None:
    """Serve Discord until cancelled. LoginRefused when Discord does not serve the bot (now)."""
    point_at(address)
    try:
        await _serve(workflow, store, token, address, message_access)
    except discord.PrivilegedIntentsRequired:
        log.warning(
            "Discord does not grant this bot the message-content intent; going on without. "
            "Mentions, replies, DMs and commands work all the same."
        )
        await _serve(workflow, store, token, address, MENTIONS_ONLY)


async def _serve(
    workflow: Workflow,
    store: SessionStore,
    token: str,
    address: DiscordAddress,
    message_access: MessageAccess,
) -> None:
    async with EditBot(
        workflow,
        Downloads(address.download_rules),
        store,
        message_content=message_access.message_content,
        edit_channels=message_access.edit_channels,
    ) as bot:
        try:
            await bot.start(token)
        except discord.PrivilegedIntentsRequired:
            raise
        except REQUEST_ERRORS as error:
            if (reason := _why_it_ended(error)) is None:
                raise
            raise LoginRefused(reason) from error


def _why_it_ended(error: Exception) -> str | None:
    """Why Discord does not serve this bot (now), in a sentence for the operator; None for other errors."""
    wrong_token = "Discord does not accept DISCORD_TOKEN; copy it again from the developer portal."
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return wrong_token
        case discord.ConnectionClosed(code=4011):
            return "Discord asks for several connections: the bot is in more servers than one serves (2,500)."
        case discord.ConnectionClosed(code=code):
            return f"Discord closed the connection for good, with the code {code}."
        case discord.RateLimited(retry_after=seconds):
            return f"Discord lets the bot log in again in {seconds:.0f} s; start it after that."
        case discord.HTTPException(status=status):
            return f"Discord answers the login with status {status}; start the bot again in a few minutes."
    return None
