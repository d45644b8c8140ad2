"""The loopback Discord: gateway, REST and CDN on one port, for the real discord.py over real sockets.

async with DiscordServer() as discord:
    channel = discord.world.add_channel("pictures")
    anna = discord.world.add_person("anna")
    ...start a bot with discord.api_base, discord.gateway_url, discord.token...
    asked = discord.say(channel, anna, "make the ball red", files={"ball.png": data}, mention=True)
    result = await discord.wait_for(lambda: discord.answers_to(asked))
"""

import asyncio
import json
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.support.discord_server.bodies import Body, read_body
from tests.support.discord_server.changes import Changes
from tests.support.discord_server.faults import Fault, Faults
from tests.support.discord_server.gateway import Gateway
from tests.support.discord_server.interactions import InteractionDesk
from tests.support.discord_server.page import Page
from tests.support.discord_server.people import People
from tests.support.discord_server.post import PostOffice
from tests.support.discord_server.published_api import PublishedApi
from tests.support.discord_server.rate_limits import RateLimits, Verdict
from tests.support.discord_server.rest import Handler, Rest
from tests.support.discord_server.shapes import Pages
from tests.support.discord_server.world import ApiError, World

API = "/api/v10"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in, and how it was answered."""

    method: str
    path: str
    body: Any
    status: int
    at_s: float  # monotonic


class DiscordServer(People):
    """One world with everything around it; `port=0` takes any free port.

    `published` judges every request and answer; what it finds is kept in `complaints`, and a request it
    complains about is answered 400, as the service would. `rate_limits`: none, unless given.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        published: PublishedApi | None = None,
        token: str = "loopback",
        rate_limits: RateLimits | None = None,
    ) -> None:
        self.token, self.rate_limits = token, rate_limits
        self.changes = Changes()
        self.faults = Faults()
        self.requests: list[Recorded] = []
        self.complaints: list[str] = []
        self._port, self._published = port, published
        world = World()
        self.gateway = Gateway(world, token, self.changes)
        self._runner: web.AppRunner | None = None
        self._pages = Pages(world, "")
        post = PostOffice(world, self._pages, self.gateway)
        super().__init__(world, post, InteractionDesk(world, post, time.monotonic), self.changes)
        self._rest = Rest(world, post, time.monotonic)
        self.cdn_is_open = self._rest.cdn_is_open  # clear it to keep every download waiting
        self.downloads = self._rest.downloads

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.gateway.url = self.gateway_url
        self._pages.cdn = self.url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self.gateway.drop_sockets()
            await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Host and port, as the bot's list of CDN hosts wants it."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def api_base(self) -> str:
        return f"{self.url}{API}"

    @property
    def gateway_url(self) -> str:
        return f"ws://{self.host}/gateway"

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        rest = self._rest
        for (method, path), handler in (rest.routes() | self.desk.routes()).items():
            app.router.add_route(method, API + path, self._answering(method, path, handler))
        app.router.add_get("/gateway", self.gateway.serve)
        for kind in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{kind}/{{channel_id}}/{{upload_id}}/{{filename}}", rest.download)
        app.router.add_get("/stickers/{name}", rest.download_sticker)
        Page(self).add_routes(app)
        return app

    def _answering(self, method: str, path: str, handler: Handler) -> Any:
        """The aiohttp handler of one route: records, injects faults, checks, answers."""

        async def answer(request: web.Request) -> web.Response:
            try:
                body = await read_body(request)
            except ConnectionResetError:  # killed in the middle of an upload
                return web.Response(status=400)
            response = await self._within_limits(request, method, path, handler, body)
            self.requests.append(Recorded(method, request.path, body.json, response.status, time.monotonic()))
            self.changes.tell()
            return response

        return answer

    async def _within_limits(
        self, request: web.Request, method: str, path: str, handler: Handler, body: Body
    ) -> web.Response:
        """Answer, unless the request is one too many; the answer says how many more are allowed."""
        verdict = Verdict({})
        if self.rate_limits is not None:
            verdict = self.rate_limits.judge(method, path, request.match_info)
        if verdict.retry_after_s is not None:
            return refused(verdict)
        try:
            response = await self._answer(request, method, path, handler, body)
        except ApiError as error:
            response = in_json({"code": error.code, "message": error.message}, error.status)
        response.headers.update(verdict.headers)
        return response

    async def _answer(
        self, request: web.Request, method: str, path: str, handler: Handler, body: Body
    ) -> web.Response:
        if fault := self.faults.struck(method, request.path, body.json, "before"):
            return await failing(fault, request)
        if "{webhook_token}" not in path and "{interaction_token}" not in path:
            self._check_token(request)
        self._check_request(method, path, body)
        found = await handler(request, body)
        status = 204 if found is None else 201 if path.endswith("/threads") else 200
        if self._published is not None:
            self.complaints += self._published.complaints_about_answer(method, path, status, found)
        if fault := self.faults.struck(method, request.path, body.json, "after"):
            self.changes.tell()
            return await failing(fault, request)
        return in_json(found, status)

    def _check_token(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise ApiError(401, 0, "401: Unauthorized")

    def _check_request(self, method: str, path: str, body: Body) -> None:
        if self._published is None:
            return
        complaints = self._published.complaints_about_request(method, path, body.json)
        self.complaints += complaints
        if complaints:
            raise ApiError(400, 50035, "Invalid Form Body: " + "; ".join(complaints)[:1000])


def in_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer; the content type is exact, since clients compare the whole string."""
    if status == 204:
        return web.Response(status=204)
    raw = json.dumps(body).encode()
    return web.Response(body=raw, status=status, headers=headers, content_type="application/json")


def refused(verdict: Verdict) -> web.Response:
    """The answer to a request beyond a rate limit."""
    body = {
        "message": "You are being rate limited.",
        "retry_after": verdict.retry_after_s,
        "global": verdict.is_global,
    }
    return in_json(body, 429, verdict.headers)


async def failing(fault: Fault, request: web.Request) -> web.Response:
    """The answer a fault gives, if it gives any."""
    if fault.hangs_up and request.transport is not None:
        request.transport.close()
        return web.Response()
    if fault.silent:
        await asyncio.Event().wait()
    return in_json(fault.body, fault.status, fault.headers)
