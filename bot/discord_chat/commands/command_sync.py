"""Register the commands with Discord: only when they changed, and as often as it takes.

Discord allows few registrations a day, and answers too many with a wait of minutes or hours.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from types import TracebackType
from typing import Any, Self

import aiohttp
import discord
from discord import app_commands

from bot.discord_chat.ids import CHAT
from conversations.store.chat_tables import ChatTables

RETRY_S = 300.0  # after an error of Discord's server, or of the network
log = logging.getLogger(__name__)


class CommandSync:
    """Registers the commands of one client. Use as `async with`: it owns the task that tries again."""

    def __init__(self, chats: ChatTables, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._chats, self._sleep = chats, sleep
        self._retrying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)

    async def register(self, tree: app_commands.CommandTree[Any]) -> None:
        """Register the commands, unless they were; goes on trying in a task if Discord lets it wait."""
        if (wait_s := await self._try(tree)) is not None:
            self._retrying = asyncio.create_task(self._retry(tree, wait_s))

    async def _retry(self, tree: app_commands.CommandTree[Any], wait_s: float | None) -> None:
        while wait_s is not None:
            await self._sleep(wait_s)
            wait_s = await self._try(tree)

    async def _try(self, tree: app_commands.CommandTree[Any]) -> float | None:
        """Seconds to wait before the next try; None when there is nothing more to do."""
        version = await _version(tree)
        if await self._chats.commands_version(CHAT) == version:
            return None
        try:
            await tree.sync()
        except discord.RateLimited as error:
            log.warning(
                "Discord takes the commands in %.0f s; mentions and DMs work meanwhile", error.retry_after
            )
            return error.retry_after
        except (discord.DiscordServerError, aiohttp.ClientError, OSError) as error:
            log.warning("could not register the commands, trying again: %s", error)
            return RETRY_S
        except discord.DiscordException as error:
            log.warning("could not register the commands; mentions and DMs still work: %s", error)
            return None
        await self._chats.set_commands_version(CHAT, version)
        return None


async def _version(tree: app_commands.CommandTree[Any]) -> str:
    """The application and a hash of its commands in all languages."""
    assert tree.translator is not None
    payload = [await command.get_translated_payload(tree, tree.translator) for command in tree.get_commands()]
    payload += [
        await menu.get_translated_payload(tree, tree.translator)
        for kind in (discord.AppCommandType.message, discord.AppCommandType.user)
        for menu in tree.get_commands(type=kind)
    ]
    text = json.dumps(payload, sort_keys=True, default=str)
    return f"{tree.client.application_id}:{sha256(text.encode()).hexdigest()}"
