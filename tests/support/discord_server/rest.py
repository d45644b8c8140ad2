"""The REST routes a bot uses, and the CDN."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.support.discord_server import guild_shapes, shapes
from tests.support.discord_server.bodies import Body
from tests.support.discord_server.gateway import MESSAGE_CONTENT
from tests.support.discord_server.post import PostOffice
from tests.support.discord_server.world import DM, ApiError, Json, Message, World

Answer = Json | list[Json] | None
Handler = Callable[[web.Request, Body], Awaitable[Answer]]


class Rest:
    """One method per route; each takes the parsed body and gives the JSON of the answer, None for 204."""

    def __init__(self, world: World, post: PostOffice, monotonic: Callable[[], float]) -> None:
        self.world, self.post, self.pages = world, post, post.pages
        self._monotonic = monotonic
        self.cdn_is_open = asyncio.Event()
        self.cdn_is_open.set()
        self.downloads: list[int] = []  # upload ids, as they were asked for

    def routes(self) -> dict[tuple[str, str], Handler]:
        """Handlers by method and path template, as the published description names them."""
        channel, message = "/channels/{channel_id}", "/channels/{channel_id}/messages/{message_id}"
        commands = "/applications/{application_id}/commands"
        return {
            ("GET", "/users/@me"): self.get_me,
            ("GET", "/oauth2/applications/@me"): self.get_application,
            ("GET", "/gateway"): self.get_gateway,
            ("GET", "/gateway/bot"): self.get_gateway_bot,
            ("POST", "/users/@me/channels"): self.open_dm,
            ("GET", channel): self.get_channel,
            ("POST", channel + "/typing"): self.type,
            ("GET", channel + "/messages"): self.get_history,
            ("POST", channel + "/messages"): self.send,
            ("GET", message): self.get_message,
            ("PATCH", message): self.edit,
            ("DELETE", message): self.delete,
            ("POST", message + "/threads"): self.open_thread,
            ("PUT", channel + "/thread-members/{user_id}"): self.add_to_thread,
            ("PATCH", channel): self.rename_channel,
            ("PUT", message + "/reactions/{emoji_name}/@me"): self.react,
            ("GET", "/guilds/{guild_id}/members/{user_id}"): self.get_member,
            ("GET", commands): self.get_commands,
            ("PUT", commands): self.put_commands,
        }

    async def get_me(self, request: web.Request, body: Body) -> Answer:
        return shapes.me(self.world.bot)

    async def get_application(self, request: web.Request, body: Body) -> Answer:
        return guild_shapes.application(self.world)

    async def get_gateway(self, request: web.Request, body: Body) -> Answer:
        return {"url": self.post.gateway.url}

    async def get_gateway_bot(self, request: web.Request, body: Body) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {
            "url": self.post.gateway.url,
            "shards": self.post.gateway.recommended_shards,
            "session_start_limit": limit,
        }

    async def open_dm(self, request: web.Request, body: Body) -> Answer:
        person = self.world.people.get(int(body.json["recipient_id"]))
        if person is None:
            raise ApiError(400, 50033, "Invalid Recipient(s)")
        return shapes.channel(self.world, self.world.dm_with(person))

    async def get_member(self, request: web.Request, body: Body) -> Answer:
        person = self.world.people.get(number(request, "user_id"))
        if person is None or person.webhook:
            raise ApiError(404, 10007, "Unknown Member")
        return shapes.member(self.world, person)

    async def get_channel(self, request: web.Request, body: Body) -> Answer:
        channel = self.world.channel(number(request, "channel_id"))
        self.world.permit(channel)
        return shapes.channel(self.world, channel)

    async def type(self, request: web.Request, body: Body) -> Answer:
        channel = self.world.channel(number(request, "channel_id"))
        self.world.permit(channel, "send_messages")
        channel.typing.append(self._monotonic())
        return None

    async def get_history(self, request: web.Request, body: Body) -> Answer:
        channel = self.world.channel(number(request, "channel_id"))
        self.world.permit(channel, "read_message_history")
        asked = request.query
        before, after = (int(asked[k]) if k in asked else None for k in ("before", "after"))
        found = self.world.history(channel, int(asked.get("limit", 50)), before, after)
        return [self._fetched(message) for message in found]

    def _fetched(self, message: Message) -> Json:
        """A fetched message has no nonce, and content only where the bot may read it."""
        allowed = self.post.gateway.allowed_privileged & MESSAGE_CONTENT
        return self.pages.message(
            message,
            content=self.post.may_read(message, allowed),
            shows_referenced=self.post.shows_referenced(message, allowed),
        )

    async def send(self, request: web.Request, body: Body) -> Answer:
        message = self.post.send(self.world.channel(number(request, "channel_id")), body)
        shape = self.pages.message(message)
        return {**shape, "nonce": message.nonce} if message.nonce else shape

    async def get_message(self, request: web.Request, body: Body) -> Answer:
        message = self._message(request)
        self.world.permit(message.channel, "read_message_history")
        return self._fetched(message)

    async def edit(self, request: web.Request, body: Body) -> Answer:
        message = self._message(request)
        self.world.permit(message.channel)
        return self.pages.message(self.post.edit(message, body))

    async def delete(self, request: web.Request, body: Body) -> Answer:
        message = self._message(request)
        if message.author is not self.world.bot:
            if message.channel.kind == DM:
                raise ApiError(403, 50003, "Cannot execute action on a DM channel")
            self.world.permit(message.channel, "manage_messages")
        else:
            self.world.permit(message.channel)
        self.world.deleted_by_bot.append(message)
        self.post.delete(message)
        return None

    async def react(self, request: web.Request, body: Body) -> Answer:
        message = self._message(request)
        self.world.permit(message.channel, "read_message_history")
        self.post.react(message, self.world.bot, request.match_info["emoji_name"])
        return None

    async def open_thread(self, request: web.Request, body: Body) -> Answer:
        start = self._message(request)
        self.world.permit(start.channel, "create_public_threads")
        if start.id in self.world.channels:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        thread = self.post.open_thread(start.channel, body.json["name"], start.id)
        return shapes.channel(self.world, thread)

    async def add_to_thread(self, request: web.Request, body: Body) -> Answer:
        thread = self.world.channel(number(request, "channel_id"))
        self.world.permit(thread, "send_messages_in_threads")
        thread.members.append(self.world.people[number(request, "user_id")])
        return None

    async def rename_channel(self, request: web.Request, body: Body) -> Answer:
        """Change the name of a thread, as its creator may."""
        thread = self.world.channel(number(request, "channel_id"))
        thread.name = body.json["name"]
        return shapes.channel(self.world, thread)

    async def get_commands(self, request: web.Request, body: Body) -> Answer:
        return self.world.commands

    async def put_commands(self, request: web.Request, body: Body) -> Answer:
        """Replace all commands; the service numbers them and fills in what was left out."""
        self.world.commands = [self._command(command) for command in body.json]
        return self.world.commands

    def _command(self, command: Json) -> Json:
        filled = {"type": 1, "description": "", "default_member_permissions": None, "nsfw": False}
        number_ = str(self.world.ids.next())
        ours = {"id": number_, "version": number_, "application_id": str(self.world.application_id)}
        made = filled | {k: v for k, v in command.items() if v is not None} | ours
        if (needed := made["default_member_permissions"]) is not None:
            made["default_member_permissions"] = str(needed)
        return made

    def _message(self, request: web.Request) -> Message:
        return self.world.message(number(request, "channel_id"), number(request, "message_id"))

    async def download_sticker(self, request: web.Request) -> web.Response:
        """A sticker; its address is not signed."""
        upload = self.world.uploads[int(request.match_info["name"].removesuffix(".png"))]
        return web.Response(body=upload.data, content_type=upload.content_type)

    async def download(self, request: web.Request) -> web.Response:
        """A file from the CDN; an address whose signature has expired is gone."""
        await self.cdn_is_open.wait()
        self.downloads.append(number(request, "upload_id"))
        upload = self.world.uploads.get(self.downloads[-1])
        if upload is None or request.query.get("hm") != f"{self.world.signature:x}":
            raise web.HTTPNotFound(text="This content is no longer available.")
        return web.Response(body=upload.data, content_type=upload.content_type)


def number(request: web.Request, name: str) -> int:
    """A numeric part of the path; anything else is Discord's 50035."""
    try:
        return int(request.match_info[name])
    except ValueError as error:
        raise ApiError(400, 50035, f"{name} is not a snowflake") from error
