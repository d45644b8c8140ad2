"""The door of the local page: who may come in, where they may go, and by what cookie they are known again.

A plain ASGI wrapper; knows nothing of gradio but the addresses its page needs.

The page has no passwords: whoever can reach the port can use it. So it answers only to its own names (another
site cannot reach it by pointing a name at this machine), takes changes only from its own pages, and serves
only the addresses its page uses; gradio's documentation, uploads and file routes are closed.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from bot.web_chat.live_cards import NAME

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "mgie_person"
YEAR_S = 365 * 24 * 3600
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

_PERSON = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9_-]{{22}})\s*(?:;|$)")
_OPEN = {
    "GET": re.compile(
        r"/(|config|theme\.css|favicon\.ico|manifest\.json|page\.(css|js)|export|(assets|static|samples|pictures|thumbs|changes)/.+"
        r"|gradio_api/(startup-events|app_id|heartbeat/\w+))"
    ),
    "POST": re.compile(r"/(pictures|gradio_api/(run/predict|reset)/?)"),
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


class Gate:
    """Wraps the app; `names` are the hosts it answers to, None for any."""

    def __init__(self, app: App, names: frozenset[str] | None = LOOPBACK) -> None:
        self._app = app
        self._names = names

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
        await self._app(scope, receive, _with_headers(send, newcomer))


def objection(
    method: str, path: str, headers: MutableMapping[str, str], names: frozenset[str] | None
) -> tuple[int, str] | None:
    """Why a request is turned away, as a status and a sentence; None for one that may pass."""
    host = headers.get("host", "")
    if names is not None and _name(host) not in names:
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
    """The name in a Host header, without its port."""
    return host if host.endswith("]") else host.rsplit(":", 1)[0]


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
