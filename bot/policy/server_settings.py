"""What the settings of a server allow. DMs and the local page belong to no server and have the defaults."""

import asyncio
from dataclasses import replace

from bot.policy.image_hash import find_blocked
from bot.policy.limits import Limits
from conversations.servers import DEFAULT_SERVER_SETTINGS, ServerSettings
from conversations.store.session_store import SessionStore


def limits_of(settings: ServerSettings, limits: Limits) -> Limits:
    """The bot's limits, with those of the server where they are narrower."""
    if settings.waiting is None:
        return limits
    return replace(limits, waiting_per_person=min(settings.waiting, limits.waiting_per_person))


def with_one(group: tuple[str, ...], member: str, is_in: bool) -> tuple[str, ...]:
    """The group with this member, or without."""
    others = tuple(other for other in group if other != member)
    return (*others, member) if is_in else others


class ServerSettingsStore:
    """Reads and writes the settings of every server."""

    def __init__(self, store: SessionStore) -> None:
        self._servers = store.servers

    async def rules(self, server: str | None) -> ServerSettings:
        """The settings of a server; the defaults in DMs and on the local page."""
        return DEFAULT_SERVER_SETTINGS if server is None else await self._servers.settings(server)

    async def find_blocked(self, server: str | None, png: bytes) -> str | None:
        """The hash of the blocked image that this one is similar to, if any."""
        barred = (await self.rules(server)).barred
        return await asyncio.to_thread(find_blocked, png, barred) if barred else None
