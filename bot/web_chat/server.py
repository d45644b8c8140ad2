"""Serves the local page.

    async with web_chat(workflow, images, "mgie-mini", defaults, port=7860) as url:
        ...                                       # the page is up at `url` while the block runs

The server runs in the caller's event loop, next to the workflow, and leaves the process's signals alone.
"""

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from bot.ops.http_server import LOOPBACK, serving
from bot.ops.log_once import OncePerMinute
from bot.web_chat.controller import PageController
from bot.web_chat.image_responses import ImageFiles
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.page_settings import PageSettings
from bot.web_chat.request_limits import LOCAL_UPLOAD_BYTES, UPLOAD_BYTES
from bot.web_chat.routes import PageRoutes
from bot.web_chat.samples import read_samples
from bot.web_chat.security import Site, add_headers, guard
from bot.workflow.dispatcher import EditWorkflow
from conversations.images.image_store import ImageStore
from mgie_engine.config import Defaults

_http_log = logging.getLogger(f"{__name__}.http")
_http_log.addFilter(OncePerMinute())


@asynccontextmanager
async def web_chat(
    workflow: EditWorkflow,
    images: ImageStore,
    model: str,
    defaults: Defaults,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    names: Collection[str] = (),
    path: str = "",
) -> AsyncIterator[str]:
    """Connect to `workflow`, take up what an earlier run left, and serve while the block runs; gives the URL.

    Port 0 picks a free one. OSError if the port is taken. `names`: hosts it answers to, beside those of
    this machine. `path`: what its addresses begin with, "" or "/mgie".
    """
    live_cards = LiveCards()
    workflow.connect(live_cards)
    await workflow.resume(live_cards.name)
    site = Site(frozenset(names), path)
    is_alone = f"[{host}]" in LOOPBACK or host in LOOPBACK
    image_files = ImageFiles(images, workflow.pictures)
    settings = PageSettings(defaults.text_cfg, defaults.image_cfg, defaults.steps, defaults.seed)
    controller = PageController(workflow, live_cards, image_files, read_samples(), settings)
    upload_bytes = LOCAL_UPLOAD_BYTES if is_alone and not names else UPLOAD_BYTES
    routes = PageRoutes(controller, live_cards, image_files, model, site, upload_bytes)
    app = build_app(routes, site)
    app.on_shutdown.append(partial(_end_streams, live_cards))
    async with serving(app, host, port, _http_log) as chosen:
        yield _url(host, chosen, names, path)


async def _end_streams(live_cards: LiveCards, _: web.Application) -> None:
    live_cards.close()


def _url(host: str, port: int, names: Collection[str], path: str) -> str:
    """Where a browser finds the page: by the first name that was given, if any."""
    name = next(iter(names), f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}{path and f'{path}/'}"


def build_app(routes: PageRoutes, site: Site) -> web.Application:
    """The page as an application of aiohttp, behind its guard."""
    app = web.Application(middlewares=[guard(site)])
    app.on_response_prepare.append(add_headers)
    app.add_routes(routes.table())
    return app
