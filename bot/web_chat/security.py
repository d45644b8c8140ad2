"""The door of the local page: who may come in, where they may go, and by what cookie they are known again.

A plain ASGI wrapper; knows nothing of gradio but the addresses its page needs.

The page has no passwords: whoever can reach the port can use it. So it answers only to its own names (another
site cannot reach it by pointing a name at this machine), takes changes only from its own pages, and serves
only the addresses its page uses; gradio's documentation, uploads and file routes are closed. Of gradio's
functions it lets through the calls that `bot.web_chat.calls` admits, and no query strings.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request

from bot.web_chat.calls import BODY_BYTES, CallRefused, Inputs, checked_call
from bot.web_chat.live_cards import NAME
from bot.web_chat.request_body import read_limited

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "mgie_person"
YEAR_S = 365 * 24 * 3600
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

CALLS = "/gradio_api/run/predict"
CALL_S = 10  # seconds that a call may take to arrive

_PERSON = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9_-]{{22}})\s*(?:;|$)")
_OPEN = {
    "GET": re.compile(
        r"/(|config|theme\.css|favicon\.ico|manifest\.json|page\.(css|js)|export"
        r"|(assets|static|samples|pictures|thumbs|changes)(/\w[\w.-]*)+|gradio_api/(app_id|heartbeat/\w+))",
        re.ASCII,
    ),
    "POST": re.compile(rf"/pictures|{CALLS}"),
}
_OPEN["HEAD"] = _OPEN["GET"]

# gradio's page compiles its templates in the browser, hence 'unsafe-eval'; nothing may come from elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class AccessGuard:
    """Wraps the app; `names` are the hosts it answers to.

    `functions`: how many values each function of gradio's that may be called takes, by its number.
    """

    def __init__(self, app: App, names: frozenset[str] = LOOPBACK, *, functions: Inputs) -> None:
        self._app = app
        self._names = names
        self._functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away with a status and a sentence."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := objection(scope["method"], scope["path"], headers, self._names):
            status, sentence = refusal
            return await _say(send, status, sentence)
        newcomer = None
        if scope["path"] == "/" and person_of(headers.get("cookie")) is None:
            newcomer = secrets.token_urlsafe(16)
        # No page of ours uses a query string, and gradio reads several of its own.
        scope, send = {**scope, "query_string": b""}, _with_headers(send, newcomer)
        if scope["path"] == CALLS:
            return await self._call(scope, receive, send)
        await self._app(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a call of a function, if it is one that the page makes."""
        try:
            async with asyncio.timeout(CALL_S):
                _, body = await read_limited(Request(scope, receive).stream(), BODY_BYTES)
            if body is None:
                return await _say(send, 413, f"A call has at most {BODY_BYTES // 1024} KiB.")
            body = checked_call(body, self._functions)
        except ClientDisconnect:
            return
        except TimeoutError:
            return await _say(send, 408, f"A call arrives within {CALL_S} seconds.")
        except CallRefused as refusal:
            return await _say(send, 422, str(refusal))
        await self._app(_with_body_of(scope, len(body)), _replaying(body, receive), send)


def objection(
    method: str, path: str, headers: MutableMapping[str, str], names: frozenset[str]
) -> tuple[int, str] | None:
    """Why a request is turned away, as a status and a sentence; None for one that may pass."""
    host = headers.get("host", "")
    if _name(host) not in names:
        return 421, "This page answers to its own address only."
    if method not in _OPEN or not _OPEN[method].fullmatch(path):
        return 404, "There is nothing here."
    origin = headers.get("origin")
    if method == "POST" and origin is not None and urlsplit(origin).netloc != host:
        return 403, "Changes are taken from the page itself only."
    return None


def person_of(cookies: str | None) -> str | None:
    """The key ("web:…") of the browser that sent this Cookie header; None without a sound cookie of ours."""
    # By hand: http.cookies gives up on a whole header when another local page has set a strange cookie.
    found = _PERSON.search(cookies or "")
    return f"{NAME}:{found[1]}" if found else None


def _name(host: str) -> str:
    """The name in a Host header in small letters, without its port."""
    return (host if host.endswith("]") else host.rsplit(":", 1)[0]).lower()


def _with_body_of(scope: Scope, size: int) -> Scope:
    """The same request with the headers of a JSON body of `size` bytes."""
    about_body = (b"content-length", b"content-type", b"content-encoding", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in about_body]
    described = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]
    return {**scope, "headers": [*kept, *described]}


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Gives `body`, then what else comes: that the client has gone."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _with_headers(send: Send, newcomer: str | None) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            extra = dict(_HEADERS)
            if newcomer is not None:
                # Lax, not Strict: a link to the page must find its talk again; changes check their origin.
                extra["set-cookie"] = f"{COOKIE}={newcomer}; Path=/; Max-Age={YEAR_S}; HttpOnly; SameSite=Lax"
                extra["cache-control"] = "no-store"
            pairs = [(name.encode(), value.encode()) for name, value in extra.items()]
            message = {**message, "headers": [*message.get("headers", ()), *pairs]}
        await send(message)

    return wrapped


async def _say(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
