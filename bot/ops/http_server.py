"""An HTTP server with a bounded number of connections; the longest idle ones make room for new ones."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from bot.ops.descriptors import free_descriptors, surviving_exhaustion

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})  # names of this machine
FEWEST, MOST = 4, 1000
HEADER_S = 30.0  # for a request to arrive, from the connection or the last answer on
LARGE_BODY = 2**20
LINGER_S = 2.0  # that the rest of a refused body is read, so that its sender hears why
GRACE_S = 1.0  # for answers under way when the server stops
ACCEPTED_AT_ONCE, WAITING = 2, 1024  # connections; few at once, as those closed for them take a moment to go
_FULL = "Too many connections; try again in a minute.\n"
FULL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 60\r\n"
    f"Content-Length: {len(_FULL)}\r\nConnection: close\r\n\r\n{_FULL}"
).encode()


class Connections:
    """Every open connection of one server, the oldest first.

    They take at most half of the file descriptors that nothing else uses, so that pictures can be opened.
    """

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}
        self._most = self._reckoned()

    def opened(self, connection: "Connection") -> bool:
        """Take in a connection; the oldest idle one is closed if there are too many, else it is refused."""
        if len(self._open) >= self._most:
            self._most = self._reckoned()
        if len(self._open) >= self._most and not self._close_idle(1):
            return False
        self._open[connection] = None
        return True

    def closed(self, connection: "Connection") -> None:
        """Forget a connection."""
        self._open.pop(connection, None)

    def make_room(self) -> int:
        """Close all that are idle; how many there were."""
        self._most = self._reckoned()
        return self._close_idle(len(self._open))

    def _reckoned(self) -> int:
        return max(FEWEST, min(MOST, (len(self._open) + free_descriptors()) // 2))

    def _close_idle(self, count: int) -> int:
        idle = [connection for connection in self._open if not connection.is_busy][:count]
        for connection in idle:
            del self._open[connection]
            connection.abort()
        return len(idle)


class Connection(web.RequestHandler):
    """One connection; the middleware of an application says by `busy` when a request is under way."""

    def __init__(self, server: web.Server, connections: Connections, log: logging.Logger) -> None:
        """`log` gets the requests that cannot be parsed."""
        loop = asyncio.get_running_loop()
        # aiohttp closes a connection `keepalive_timeout` after its last answer if no whole request came.
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=HEADER_S,
            logger=log,
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,
            lingering_time=LINGER_S,
        )
        self._connections = connections
        self.is_busy = False
        self.when_lost: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it, or answer that there are too many."""
        assert isinstance(transport, asyncio.Transport)
        if self._connections.opened(self):
            super().connection_made(transport)
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another one."""
        self._connections.closed(self)
        self.when_lost()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close it without an answer."""
        if self.transport is not None:
            self.transport.abort()


@contextmanager
def busy(request: web.Request) -> Iterator[None]:
    """While the block runs, the connection of the request is not closed to make room for another."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    connection.is_busy = True
    try:
        yield
    finally:
        connection.is_busy = False


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int, log: logging.Logger) -> AsyncIterator[int]:
    """Serve an application while the block runs; gives the port, which 0 leaves to the system.

    `log` gets the requests that cannot be parsed. OSError if the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_S)
        await runner.setup()
        assert runner.server is not None
        http, connections = runner.server, Connections()
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(http, connections, log), sock=listener, backlog=ACCEPTED_AT_ONCE
            )
            listener.listen(WAITING)  # asyncio uses one number for both
            try:
                with surviving_exhaustion(connections.make_room):
                    yield listener.getsockname()[1]
            finally:
                server.close()  # before its socket is: the event loop must not wait for a closed one
        finally:
            await runner.cleanup()


def stop_large_body(request: web.Request) -> None:
    """After an answer: close the connection if the rest of a large body that is no file is still coming.

    Reading it would only cost time. A browser that sends a file hears an answer only once it has sent all.
    """
    is_large = request.content_length is None or request.content_length > LARGE_BODY
    is_file = request.content_type == "multipart/form-data"
    if request.body_exists and is_large and not is_file and not request.content.is_eof():
        request.protocol.force_close()


def host_name(host: str) -> str:
    """The name in a Host header in small letters, without its port."""
    return (host if host.endswith("]") else host.rsplit(":", 1)[0]).lower()
