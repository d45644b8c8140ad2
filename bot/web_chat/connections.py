"""The connections of the local page: a bounded number; the longest idle ones make room for new ones."""

from asyncio import BaseTransport
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.ops.descriptors import free_descriptors

FEWEST, MOST = 4, 1000


class Connections:
    """Every open connection of one server, the oldest first.

    They take at most half of the file descriptors that nothing else uses, so that pictures can be opened.
    """

    def __init__(self) -> None:
        self._open: dict[H11Protocol, None] = {}
        self._most = self._reckoned()

    def protocol(self) -> type[H11Protocol]:
        """The protocol class for uvicorn; its connections are counted here."""
        connections = self

        class CountedProtocol(H11Protocol):
            def connection_made(self, transport: BaseTransport) -> None:
                super().connection_made(transport)  # type: ignore[arg-type]
                connections.opened(self)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.closed(self)
                super().connection_lost(exc)

        return CountedProtocol

    def opened(self, connection: H11Protocol) -> None:
        """Take in a connection; the oldest idle one is closed if there are too many, else this one."""
        if len(self._open) >= self._most:
            self._most = self._reckoned()
        if len(self._open) >= self._most and not self._close_idle(1):
            connection.transport.abort()
            return
        self._open[connection] = None

    def closed(self, connection: H11Protocol) -> None:
        """Forget a connection."""
        self._open.pop(connection, None)

    def make_room(self) -> int:
        """Close all that are idle; how many there were."""
        self._most = self._reckoned()
        return self._close_idle(len(self._open))

    def _reckoned(self) -> int:
        return max(FEWEST, min(MOST, (len(self._open) + free_descriptors()) // 2))

    def _close_idle(self, count: int) -> int:
        idle = [connection for connection in self._open if _is_idle(connection)]
        for connection in idle[:count]:
            del self._open[connection]
            connection.transport.abort()
        return len(idle[:count])


def _is_idle(connection: H11Protocol) -> bool:
    cycle = cast("object | None", connection.cycle)
    return cycle is None or connection.cycle.response_complete
