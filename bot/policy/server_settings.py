"""What the moderators of a server (a "house") have decided there; kept as one small fact per server.

Pure values, and the few lines that keep them. A DM and the local page are in no house.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from bot.i18n.catalog import ENGLISH
from bot.policy.image_hash import find_blocked
from bot.policy.limits import Limits
from conversations.store.session_store import SessionStore

LOG_KEPT = 50


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the log: when (Unix seconds), who, what (the value of a Rule), and to what."""

    at: float
    by: str
    rule: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The decisions that hold in one house; people and channels by their keys, pictures by their marks.

    waiting, per_day   edits of one person: waiting, and in 24 hours; None where the bot's own limits hold
    closed             channels in which no edits are taken
    hidden             channels in which pictures are shown behind spoilers
    overheard          channels in which plain words may be meant for the bot
    own_only           whether pictures that others posted may not be edited, not even with their consent
    reports            the channel in which reports are shown; None for none
    language           in which reports are told, of whoever chose the channel for them
    barred             marks of removed pictures (see image_hash) that are neither taken nor shown again
    """

    is_paused: bool = False
    blocked: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    overheard: tuple[str, ...] = ()
    waiting: int | None = None
    per_day: int | None = None
    own_only: bool = False
    reports: str | None = None
    barred: tuple[str, ...] = ()
    language: str = ENGLISH
    log: tuple[AuditEntry, ...] = ()

    def merged_over(self, limits: Limits) -> Limits:
        """The bot's limits, with those of this house where they are narrower."""
        if self.waiting is None:
            return limits
        return replace(limits, waiting_per_person=min(self.waiting, limits.waiting_per_person))

    def noted(self, deed: AuditEntry) -> "ServerSettings":
        """The same, with one more entry in the log."""
        return replace(self, log=(*self.log, deed)[-LOG_KEPT:])


DEFAULT_SERVER_SETTINGS = ServerSettings()


def with_one(group: tuple[str, ...], member: str, is_in: bool) -> tuple[str, ...]:
    """The group with this member, or without."""
    others = tuple(other for other in group if other != member)
    return (*others, member) if is_in else others


class ServerSettingsStore:
    """Reads and writes the rules of every house."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._changing = asyncio.Lock()

    async def rules(self, server: str | None) -> ServerSettings:
        """What holds there; DEFAULT_SERVER_SETTINGS where nobody decided anything."""
        kept = None if server is None else await self._store.recall(_key(server))
        return DEFAULT_SERVER_SETTINGS if kept is None else _read(kept)

    async def find_blocked(self, server: str | None, png: bytes) -> str | None:
        """The mark of the removed picture that this one is like; None where there is none."""
        barred = (await self.rules(server)).barred
        return await asyncio.to_thread(find_blocked, png, barred) if barred else None

    async def change(
        self, server: str, changed: Callable[[ServerSettings], ServerSettings]
    ) -> ServerSettings:
        """Replace the rules of a house by what `changed` makes of them; the new ones."""
        async with self._changing:
            rules = changed(await self.rules(server))
            await self._store.remember(_key(server), json.dumps(asdict(rules)))
            return rules


def _key(server: str) -> str:
    return f"house {server}"


def _read(kept: str) -> ServerSettings:
    """The rules as they were kept; fields of another release are left out."""
    row = json.loads(kept)
    log = tuple(AuditEntry(**deed) for deed in row.pop("log", ()))
    known = {name: row[name] for name in ServerSettings.__dataclass_fields__ if name in row}
    lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return ServerSettings(**{**known, **lists, "log": log})
