"""What the member list says beside the bot's name: that it is paused, or how many edits wait. In English.

Discord shows one text to every server, so it has no language of a user.
"""

import asyncio
import logging
from typing import Self

import discord

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.workflow.dispatcher import EditWorkflow
from conversations.store.session_store import SessionStore

LOOK_EVERY_S = 20.0  # a connection may send 120 messages a minute
IDLE = "Mention me with a picture"
log = logging.getLogger(__name__)


class Presence:
    """Keeps the text up to date while entered; a connection that is lost gets it again with the next look."""

    def __init__(
        self, client: discord.AutoShardedClient, workflow: EditWorkflow, store: SessionStore
    ) -> None:
        self._client, self._workflow, self._store = client, workflow, store
        self._shown: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._forever(), name="presence")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def forget(self) -> None:
        """A connection began again: Discord shows nothing there."""
        self._shown = None

    async def update(self) -> None:
        """Show what holds now, if that is something new."""
        text = await self._text()
        if text == self._shown:
            return
        try:
            await self._client.change_presence(activity=discord.CustomActivity(text))
        except (*REQUEST_ERRORS, ConnectionError, AttributeError) as error:  # a connection is being opened
            log.debug("the presence cannot be shown now: %r", error)
            return
        self._shown = text

    async def _text(self) -> str:
        if (await self._store.servers.settings(None)).paused_everywhere:
            return "Paused"
        waiting = self._workflow.waiting()
        return f"{waiting} waiting" if waiting else IDLE

    async def _forever(self) -> None:
        await self._client.wait_until_ready()
        while True:
            await self.update()
            await asyncio.sleep(LOOK_EVERY_S)
