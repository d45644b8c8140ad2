"""The form by which anybody, without an account, asks for the removal of a picture.

It has a port of its own: it is open to all where the page may not be. It sets no cookie and has no script.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from markupsafe import Markup

from bot.ops.http_server import busy, serving
from bot.ops.log_once import OncePerMinute
from bot.policy.checks import recent
from bot.web_chat import markup
from bot.web_chat.answers import language_of
from bot.web_chat.security import Handler, add_headers, address_of, network_of
from bot.workflow.dispatcher import EditWorkflow
from bot.workflow.notices import ABOUT_CHARS, CONTACT_CHARS, REASON_CHARS
from conversations.errors import PictureRefused
from conversations.images.decode import MIB
from conversations.images.sandbox import read_picture
from conversations.messages import Message
from conversations.shares import DAY_S

UPLOAD_BYTES = 12 * MIB
RECEIVED_AT_ONCE, RECEIVE_S = 4, 60.0
NOTICES_PER_ADDRESS = 5  # a day
LOCAL = "local"  # one sender behind a proxy that names none

log = logging.getLogger(__name__)
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(OncePerMinute())


class RemovalForm:
    """Shows the form and takes what is sent. `uptime`: seconds by a clock that cannot be set."""

    def __init__(self, workflow: EditWorkflow, uptime: Callable[[], float] = time.monotonic) -> None:
        self._workflow, self._uptime = workflow, uptime
        self._receiving = asyncio.Semaphore(RECEIVED_AT_ONCE)
        self._sent: dict[str, tuple[float, ...]] = {}  # by address

    async def show(self, request: web.Request) -> web.Response:
        """The empty form."""
        return await self._page(request, None)

    async def send(self, request: web.Request) -> web.Response:
        """Take a notice. What cannot be taken is said above the form, which keeps what was typed."""
        address = network_of(address_of(request)) or LOCAL
        if len(self._lately(address)) >= NOTICES_PER_ADDRESS:
            return await self._page(request, Message("notice.too_many"), 429)
        try:
            async with self._receiving, asyncio.timeout(RECEIVE_S):
                typed, picture = await _read(request)
                if not typed["reason"].strip() or not (picture or typed["about"].strip()):
                    return await self._page(request, Message("notice.incomplete"), 400, typed)
                png = (await asyncio.to_thread(read_picture, picture)).png if picture else None
        except PictureRefused as refusal:
            return await self._page(request, refusal.message, 400, typed)
        except TimeoutError:
            return await self._page(request, Message("page.too_slow"), 408)
        except web.HTTPRequestEntityTooLarge:
            return await self._page(request, Message("page.too_large"), 413)
        except ValueError:
            return await self._page(request, Message("page.not_understood"), 400)
        number = await self._workflow.operators.notices.receive(
            typed["about"], png, typed["reason"], typed["contact"]
        )
        if number is None:
            return await self._page(request, Message("notice.too_many"), 429, typed)
        self._sent[address] = (*self._lately(address), self._uptime())
        return await self._page(request, Message("notice.received", number=number), is_received=True)

    def _lately(self, address: str) -> tuple[float, ...]:
        self._sent = {
            who: kept for who, times in self._sent.items() if (kept := recent(times, self._uptime(), DAY_S))
        }
        return self._sent.get(address, ())

    async def _page(
        self,
        request: web.Request,
        said: Message | None,
        status: int = 200,
        typed: dict[str, str] | None = None,
        *,
        is_received: bool = False,
    ) -> web.Response:
        language = language_of(request)
        values = {"about": "", "reason": "", "contact": "", **(typed or {})}
        limits = {"about_chars": ABOUT_CHARS, "reason_chars": REASON_CHARS, "contact_chars": CONTACT_CHARS}
        foot = Markup(markup.foot(self._workflow.host.law, language))
        text = markup.removal_form(
            {**values, **limits, "said": said, "is_received": is_received, "foot": foot}, language
        )
        return web.Response(text=text, status=status, content_type="text/html")


async def _read(request: web.Request) -> tuple[dict[str, str], bytes]:
    """What was typed, and the picture that was sent (b"" for none). ValueError for another form."""
    sent = await request.post()
    typed = {name: sent.get(name, "") for name in ("about", "reason", "contact")}
    if any(not isinstance(value, str) for value in typed.values()):
        raise ValueError("a field holds a file")
    picture = sent.get("picture")
    data = picture.file.read() if isinstance(picture, web.FileField) else b""
    return {name: str(value) for name, value in typed.items()}, data


@web.middleware
async def _is_busy(request: web.Request, handler: Handler) -> web.StreamResponse:
    with busy(request):
        return await handler(request)


@asynccontextmanager
async def removal_form(workflow: EditWorkflow, host: str, port: int) -> AsyncIterator[int]:
    """Serve the form at any path while the block runs; gives the port. OSError if it is taken."""
    form = RemovalForm(workflow)
    app = web.Application(client_max_size=UPLOAD_BYTES, middlewares=[_is_busy])
    app.on_response_prepare.append(add_headers)
    app.add_routes([web.get("/{path:.*}", form.show), web.post("/{path:.*}", form.send)])
    async with serving(app, host, port, _http_log) as chosen:
        yield chosen
