"""Serves the API for other programs.

    async with openai_api(workflow, "mgie-mini", keys, port=8000) as url:
        ...                                       # `{url}/images/edits` answers while the block runs

Without keys every program on this machine may use it, and no other; with keys, who has one. Each key is a
user with a queue share, request rate and storage of its own.
"""

import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.openai_api.api_chat import NAME, ApiChat
from bot.openai_api.api_errors import ApiError
from bot.openai_api.api_routes import FILES, USER, ApiRoutes
from bot.ops.http_server import LOOPBACK, busy, host_name, serving
from bot.ops.log_once import OncePerMinute
from bot.workflow.dispatcher import EditWorkflow

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BEGUN = web.RequestKey("begun", bool)  # the headers of the answer are on their way
ANYBODY = f"{NAME}:local"  # the user that all programs are where no key is asked for
_SENTENCES = {404: "There is nothing at this address.", 405: "This address takes other methods."}

log = logging.getLogger(__name__)
log.addFilter(OncePerMinute())


@asynccontextmanager
async def openai_api(
    workflow: EditWorkflow,
    model: str,
    keys: Collection[str] = (),
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[str]:
    """Connect to `workflow` and serve while the block runs; gives the base URL. OSError if the port is taken.

    Port 0 picks a free one.
    """
    chat = ApiChat()
    workflow.connect(chat)
    await workflow.resume(chat.name)
    app = web.Application(middlewares=[_guard(tuple(keys))])
    app.on_response_prepare.append(_note_begun)
    app.add_routes(ApiRoutes(workflow, chat, model).table())
    async with serving(app, host, port, log) as chosen:
        yield f"http://{f'[{host}]' if ':' in host else host}:{chosen}/v1"


async def _note_begun(request: web.Request, _: web.StreamResponse) -> None:
    request[BEGUN] = True


def _guard(keys: tuple[str, ...]) -> Middleware:
    """The middleware around every request: who asks, and errors in the form of the API."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            with busy(request):
                request[USER] = _user_of(request, keys)
                return await handler(request)
        except ApiError as error:
            log.info("a request was refused with status %d", error.status)
            return error.response()
        except web.HTTPException as error:
            words = _SENTENCES.get(error.status, "The request cannot be read.")
            return ApiError(error.status, words).response()
        except ConnectionError:
            return _cut_off(request)
        except Exception:
            log.exception("a request failed")
            if BEGUN in request:
                return _cut_off(request)
            return ApiError(500, "The request failed.", kind="server_error").response()

    return middleware


def _cut_off(request: web.Request) -> web.Response:
    """Close the connection: an answer that ends early must not look whole."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=400)


def _user_of(request: web.Request, keys: tuple[str, ...]) -> str:
    """The user of a request's key; ApiError for one that may not ask."""
    if keys and request.path.startswith(FILES):
        return ANYBODY  # the address itself is the secret
    if not keys:
        if host_name(request.headers.get("Host", "")) not in LOOPBACK or "Origin" in request.headers:
            # A web page in a browser on this machine must not use it, under whatever name it gives.
            raise ApiError(403, "Without keys, only programs on this machine may ask.", code="not_local")
        return ANYBODY
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise ApiError(401, "Give a key: Authorization: Bearer KEY.", code="missing_api_key")
    secret = given.strip().encode("utf-8", "surrogateescape")  # as aiohttp decoded it
    found = [key for key in keys if hmac.compare_digest(key.encode(), secret)]
    if not found:
        raise ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
    return f"{NAME}:{hashlib.sha256(found[0].encode()).hexdigest()[:16]}"
