"""Erases sessions, words and settings unused for long, and servers that the bot has left."""

import logging
from dataclasses import dataclass

from bot.policy.host_facts import HostFacts
from bot.workflow.runner import TurnRunner
from conversations.shares import DAY_S
from conversations.store.session_store import SessionStore

AT_ONCE = 50  # sessions of one transaction: everybody else waits meanwhile
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forgettable:
    """What may be erased now: sessions, and servers with the sessions begun there."""

    sessions: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()


@dataclass(eq=False)
class Forgetting:
    """Finds what is old, and erases it."""

    store: SessionStore
    runner: TurnRunner
    host: HostFacts

    async def find(self, now: float) -> Forgettable:
        """What is old at that moment (Unix seconds)."""
        ageing, host = self.store.ageing, self.host
        sessions: dict[str, None] = {}
        servers: tuple[str, ...] = ()
        if host.forget_days is not None:
            sessions |= dict.fromkeys(await ageing.old_sessions(now - host.forget_days * DAY_S))
        if host.left_server_days is not None:
            servers = await ageing.left_before(now - host.left_server_days * DAY_S)
            for server in servers:
                sessions |= dict.fromkeys(await ageing.sessions_in_server(server))
        return Forgettable(tuple(sessions), servers)

    async def erase(self, found: Forgettable, now: float) -> None:
        """Erase what was found, and single rows that are as old."""
        for start in range(0, len(found.sessions), AT_ONCE):
            some = found.sessions[start : start + AT_ONCE]
            for active in self.runner.active:
                if active.session.id in some:
                    self.runner.drop(active.turn.id)
            await self.runner.erased.delete(await self.store.ageing.forget_sessions(some))
        for server in found.servers:
            await self.store.ageing.forget_server(server)
        if self.host.forget_days is not None:
            await self.store.ageing.forget_unused(now - self.host.forget_days * DAY_S)
        if found.sessions or found.servers:
            log.info(
                "%d old sessions and %d left servers were erased", len(found.sessions), len(found.servers)
            )
