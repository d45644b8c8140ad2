"""Who may use the local page, what other sites may not do, and by what cookie users are known.

The page has no passwords: all who reach the port can use it. So it answers only to its own names (another
site cannot reach it by pointing a name at this machine), takes changes only from its own pages, and lets the
browser load nothing from elsewhere. Headers of a proxy are believed only if the proxy is on this machine.
"""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.ops.http_server import LOOPBACK, busy, host_name, stop_large_body
from bot.ops.log_once import OncePerMinute
from bot.web_chat.answers import refused, send
from bot.web_chat.forms import NOT_UNDERSTOOD, FormRefused
from bot.web_chat.live_cards import NAME
from bot.web_chat.request_limits import (
    REQUESTS_PER_ADDRESS,
    REQUESTS_PER_VISITOR,
    TooManyAtOnce,
    Underway,
)
from conversations.errors import PictureMissing
from conversations.messages import Message

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "mgie_person"
NEWCOMER = web.RequestKey("newcomer", str)
BEGUN = web.RequestKey("begun", bool)  # the headers of the answer are on their way
YEAR_S = 365 * 24 * 3600

_PERSON = re.compile(rf"(?:^|;)\s*{COOKIE}=([A-Za-z0-9_-]{{22}})\s*(?:;|$)")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with "no-referrer" forms are sent with the origin "null"
    "Server": "mgie",
    "X-Content-Type-Options": "nosniff",
}
_SENTENCES = {
    404: Message("page.not_found"),
    405: Message("page.not_found"),
    413: Message("page.too_large"),
}

log = logging.getLogger(__name__)
log.addFilter(OncePerMinute())


@dataclass(frozen=True, slots=True)
class Site:
    """How the page is reached.

    names  host names that the operator gave, beside those of this machine
    path   what every address begins with: "" or "/mgie"
    """

    names: frozenset[str] = frozenset()
    path: str = ""

    @property
    def all_names(self) -> frozenset[str]:
        """Every host that the page answers to."""
        return LOOPBACK | self.names


def objection(
    method: str, headers: Mapping[str, str], site: Site, *, is_local: bool
) -> tuple[int, Message] | None:
    """Why a request is turned away, as a status and a message; None for one that may pass.

    `headers` has names in small letters. `is_local`: it comes from this machine, maybe through a proxy.
    """
    host = headers.get("host", "")
    forwarded = headers.get("x-forwarded-host") if is_local else None
    hosts = [host] if forwarded is None else [host, forwarded]
    # A site that points its name at this machine can set the second header, but not the first.
    if any(host_name(each) not in site.all_names for each in hosts):
        return 421, Message("page.other_name")
    if method not in ("GET", "HEAD") and _is_foreign(headers, hosts[-1], site, is_local):
        return 403, Message("page.other_site")
    return None


def _is_foreign(headers: Mapping[str, str], host: str, site: Site, is_local: bool) -> bool:
    """Whether a change was asked for by another page than ours."""
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        place = urlsplit(origin).netloc
    except ValueError:  # "http://["
        return True
    # A proxy may pass on another host or port than the browser used; then one of the given names must do.
    return place.lower() != host.lower() and not (is_local and host_name(place) in site.names)


def person_of(cookies: str | None) -> str | None:
    """The key ("web:…") of the browser that sent this Cookie header; None without a sound cookie of ours."""
    # By hand: http.cookies gives up on a whole header when another local page has set a strange cookie.
    found = _PERSON.search(cookies or "")
    return f"{NAME}:{found[1]}" if found else None


def welcome(request: web.Request) -> str:
    """The key of the browser that asks for the page; a new one for a newcomer."""
    if person := person_of(request.headers.get("Cookie")):
        return person
    request[NEWCOMER] = secrets.token_urlsafe(16)
    return f"{NAME}:{request[NEWCOMER]}"


def address_of(request: web.Request) -> str:
    """Where a request comes from, also through a proxy on this machine."""
    if is_local(request.remote) and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()[:64]
    return request.remote or ""


def counted_address(request: web.Request) -> str | None:
    """The address that limits count a request to; None for this machine, behind which anybody may be."""
    return network_of(address_of(request))


def network_of(address: str) -> str | None:
    """The IPv4 address or IPv6 network of 64 bits that one visitor may have; None for this machine."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if known.is_loopback:
        return None
    return str(ip_network((known, 64), strict=False)) if isinstance(known, IPv6Address) else str(known)


def is_local(address: str | None) -> bool:
    """Whether an address is one of this machine's own."""
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def guard(site: Site) -> Middleware:
    """The middleware around every request; it also sends the answer, so that sending has an end."""
    underway = Underway(REQUESTS_PER_VISITOR, REQUESTS_PER_ADDRESS)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        with busy(request):
            try:
                visitor = person_of(request.headers.get("Cookie")) or address_of(request)
                with underway.one_more(visitor, counted_address(request)):
                    response = await _answered(request, handler, site)
                    return await send(request, response)
            except TooManyAtOnce:
                return await send(request, _refusal(request, 429, Message("page.too_many_requests")))
            finally:
                stop_large_body(request)

    return middleware


async def _answered(request: web.Request, handler: Handler, site: Site) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if turned_away := objection(request.method, headers, site, is_local=is_local(request.remote)):
        return _refusal(request, *turned_away)
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _refusal(request, error.status, _SENTENCES.get(error.status, NOT_UNDERSTOOD))
    except web.RequestPayloadError:
        return _refusal(request, 400, NOT_UNDERSTOOD)
    except FormRefused as error:
        return _refusal(request, error.status, error.message)
    except PictureMissing:
        return _refusal(request, 404, Message("page.not_found"))
    except TooManyAtOnce:
        return _refusal(request, 429, Message("page.too_many_requests"))
    except ConnectionError:
        return _cut_off(request)
    except Exception:
        log.exception("a request to the page failed")
        if BEGUN in request:
            return _cut_off(request)
        return _refusal(request, 500, Message("page.failed"))


def _cut_off(request: web.Request) -> web.Response:
    """Close the connection: an answer that ends early must not look whole."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=400)


def _refusal(request: web.Request, status: int, message: Message) -> web.Response:
    log.info(f"a request was refused with status {status}")
    return refused(request, status, message)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says; for `Application.on_response_prepare`."""
    request[BEGUN] = True
    response.headers.update(_HEADERS)


def recognise(request: web.Request, response: web.StreamResponse, site: Site) -> None:
    """Give a newcomer the cookie by which `welcome` knows them already."""
    if NEWCOMER not in request:
        return
    is_secure = is_local(request.remote) and request.headers.get("X-Forwarded-Proto") == "https"
    # Lax, not Strict: a link to the page must find its conversation again; changes check their origin.
    response.set_cookie(
        COOKIE,
        request[NEWCOMER],
        path=f"{site.path}/",
        max_age=YEAR_S,
        httponly=True,
        samesite="Lax",
        secure=is_secure,
    )
    response.headers["Cache-Control"] = "no-store"
