"""The gateway: HELLO, IDENTIFY, READY, GUILD_CREATE, heartbeats, and RESUME with replay of missed events."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.support.discord_server import guild_shapes, shapes
from tests.support.discord_server.changes import Changes
from tests.support.discord_server.world import Json, World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME = 0, 1, 2, 3, 6
RECONNECT, INVALID_SESSION, HELLO, ACK = 7, 9, 10, 11
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1, 1 << 9, 1 << 12, 1 << 15
GUILD_REACTIONS, DIRECT_REACTIONS = 1 << 10, 1 << 13
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
BAD_TOKEN, SHARDING_REQUIRED, DISALLOWED_INTENTS = 4004, 4011, 4014

Body = Callable[[int], Json | None]  # intents → what a session with these intents is told, or None


@dataclass(eq=False)
class Session:
    """One identified client: everything it was told, so that a resume can tell it again."""

    intents: int
    shard: int = 0
    shards: int = 1
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    told: list[str] = field(default_factory=list)  # frame n has sequence number n + 1
    news: asyncio.Event = field(default_factory=asyncio.Event)
    socket: web.WebSocketResponse | None = None
    transport: asyncio.Transport | None = None

    def serves(self, event: str, body: Json) -> bool:
        """Whether its shard is told: that of the server, the first one of direct messages."""
        guild = body.get("id") if event.startswith("GUILD_") else body.get("guild_id")
        return (int(guild) >> 22) % self.shards == self.shard if guild else self.shard == 0

    def tell(self, event: str, body: Json) -> None:
        self.told.append(json.dumps({"op": DISPATCH, "t": event, "s": len(self.told) + 1, "d": body}))
        self.news.set()


class Gateway:
    """Speaks with every connected client; `dispatch` is how the rest of the server makes events."""

    def __init__(self, world: World, token: str, changes: Changes) -> None:
        self._world, self._token, self._changes = world, token, changes
        self.url = ""
        self.allowed_privileged = PRIVILEGED
        self.refuses_with: int | None = None  # the code with which every connection is closed
        self.recommended_shards = 1
        self.least_shards = 1  # fewer are refused
        self.sessions: dict[str, Session] = {}
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.presences: list[str] = []  # the texts that the client showed beside its name

    @property
    def connected(self) -> list[Session]:
        return [s for s in self.sessions.values() if s.socket is not None]

    def dispatch(self, event: str, body: Json | Body, needs: int = 0) -> None:
        """Tell every session whose intents cover `needs`."""
        for session in self.sessions.values():
            if session.intents & needs != needs:
                continue
            told = body(session.intents) if callable(body) else body
            if told is not None and session.serves(event, told):
                session.tell(event, told)
        self._changes.tell()

    def replay(self, last: int) -> None:
        """Tell every session its last events once more, as an imperfect resume does."""
        for session in self.sessions.values():
            for frame in [json.loads(f) for f in session.told[-last:]]:
                session.tell(frame["t"], frame["d"])

    def drop_sockets(self) -> None:
        """Cut every connection without a goodbye; the sessions can be resumed."""
        for session in self.connected:
            if session.transport is not None:
                session.transport.abort()

    async def ask_to_reconnect(self) -> None:
        for session in self.connected:
            assert session.socket is not None
            await session.socket.send_json({"op": RECONNECT, "d": None})

    def end_sessions(self, shard: int | None = None) -> None:
        """Cut the connections of a shard, else all, for more than a moment: they cannot be resumed."""
        for session in self.connected:
            if shard in (None, session.shard) and session.transport is not None:
                session.transport.abort()
                del self.sessions[session.id]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """The whole life of one connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 41250}})
        session: Session | None = None
        writer: asyncio.Task[None] | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    continue
                said = json.loads(frame.data)
                if said["op"] == HEARTBEAT:
                    self.heartbeats += 1
                    await socket.send_json({"op": ACK})
                elif said["op"] == PRESENCE:
                    self.presences += [activity["state"] for activity in said["d"]["activities"]]
                    self._changes.tell()
                elif said["op"] in (IDENTIFY, RESUME) and session is None:
                    session, start = await self._begin(socket, said)
                    if session is not None:
                        session.socket, session.transport = socket, request.transport
                        writer = asyncio.create_task(self._write(session, socket, start))
                        self._changes.tell()
        finally:
            if writer is not None:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
            if session is not None:
                self._leave(session, socket)
        return socket

    def _leave(self, session: Session, socket: web.WebSocketResponse) -> None:
        if session.socket is socket:
            session.socket = session.transport = None
        if socket.close_code in (1000, 1001):  # a goodbye ends the session; a broken line does not
            self.sessions.pop(session.id, None)
        self._changes.tell()

    async def _begin(self, socket: web.WebSocketResponse, said: Json) -> tuple[Session | None, int]:
        """The session of an IDENTIFY or RESUME and how many of its events the client already has."""
        body = said["d"]
        if self.refuses_with is not None:
            await socket.close(code=self.refuses_with, message=b"Goodbye.")
            return None, 0
        if body["token"].removeprefix("Bot ") != self._token:
            await socket.close(code=BAD_TOKEN, message=b"Authentication failed.")
            return None, 0
        if said["op"] == RESUME:
            return await self._resume(socket, body)
        if body["intents"] & PRIVILEGED & ~self.allowed_privileged:
            await socket.close(code=DISALLOWED_INTENTS, message=b"Disallowed intent(s).")
            return None, 0
        shard, shards = body.get("shard", (0, 1))
        if shards < self.least_shards:
            await socket.close(code=SHARDING_REQUIRED, message=b"Sharding required.")
            return None, 0
        self.identifies += 1
        session = Session(body["intents"], shard, shards)
        self.sessions[session.id] = session
        guild = guild_shapes.guild(self._world)
        served = session.serves("GUILD_CREATE", guild)
        session.tell("READY", self._ready(session, has_guild=served))
        if served:
            session.tell("GUILD_CREATE", guild)
        return session, 0

    async def _resume(self, socket: web.WebSocketResponse, body: Json) -> tuple[Session | None, int]:
        session = self.sessions.get(body["session_id"])
        if session is None:
            await socket.send_json({"op": INVALID_SESSION, "d": False})
            return None, 0
        self.resumes += 1
        session.tell("RESUMED", {"_trace": []})
        return session, body["seq"]

    def _ready(self, session: Session, *, has_guild: bool) -> Json:
        world = self._world
        return {
            "v": 10,
            "user": shapes.me(world.bot),
            "guilds": [{"id": str(world.guild_id), "unavailable": True}] if has_guild else [],
            "shard": [session.shard, session.shards],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(world.application_id), "flags": 0},
        }

    async def _write(self, session: Session, socket: web.WebSocketResponse, start: int) -> None:
        sent = start
        with contextlib.suppress(ConnectionError):
            while True:
                session.news.clear()
                while sent < len(session.told):
                    await socket.send_str(session.told[sent])
                    sent += 1
                await session.news.wait()
