"""Serves the local page: pictures and page files here, everything else by gradio, all behind the gate.

    async with web_chat(workflow, images, "mgie-mini", defaults, port=7860) as url:
        ...                                       # the page is up at `url` while the block runs

The server runs in the caller's event loop, next to the workflow, and leaves the process's signals alone.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from bot.i18n.catalog import translator
from bot.ops.descriptors import surviving_exhaustion
from bot.web_chat.connections import Connections
from bot.web_chat.controller import PageController, PageSettings
from bot.web_chat.image_responses import ImageFiles
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.markup import PAGE
from bot.web_chat.page import build_page, inputs_of, mount, visitor_of
from bot.web_chat.request_body import read_limited
from bot.web_chat.samples import Sample, read_samples
from bot.web_chat.security import LOOPBACK, AccessGuard
from bot.workflow.dispatcher import EditWorkflow
from conversations.errors import PictureMissing
from conversations.images.decode import mebibytes
from conversations.images.image_store import ImageStore, PictureLimits
from conversations.messages import Message
from mgie_engine.config import Defaults

GRACE_S = 1  # for answers under way when the server stops
ACCEPTED_AT_ONCE, WAITING = 2, 1024  # connections; few at once, as those closed for them take a moment to go
PNG_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # keys are hashes: never stale
ASK_AGAIN = {"Cache-Control": "no-cache"}


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
) -> AsyncIterator[str]:
    """Connect to `workflow`, take up what an earlier run left, and serve while the block runs; gives the URL.

    Port 0 picks a free one. OSError if the port is taken. `names`: hosts it answers to, beside those of
    this machine.
    """
    live_cards = LiveCards()
    workflow.connect(live_cards)
    await workflow.resume(live_cards.name)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        gate = build_app(workflow, live_cards, images, model, defaults, LOOPBACK.union(names))
        async with _serving(gate, listener):
            yield _url(host, listener.getsockname()[1], names)


def _url(host: str, port: int, names: Collection[str]) -> str:
    """Where a browser finds the page: by the first name that was given, if any."""
    name = next(iter(names), f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


def build_app(
    workflow: EditWorkflow,
    live_cards: LiveCards,
    images: ImageStore,
    model: str,
    defaults: Defaults,
    names: frozenset[str],
) -> AccessGuard:
    """The app behind its gate, which answers to `names`."""
    image_files, samples = ImageFiles(images, workflow.pictures), read_samples()
    settings = PageSettings(defaults.text_cfg, defaults.image_cfg, defaults.steps, defaults.seed)
    controller = PageController(workflow, live_cards, image_files, samples, settings)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_pictures(app, controller, image_files)
    _add_files(app, samples)
    page = build_page(controller, model, tuple(samples.values()))
    return AccessGuard(mount(app, page), names, functions=inputs_of(page))


def _add_pictures(app: FastAPI, controller: PageController, image_files: ImageFiles) -> None:
    @app.exception_handler(PictureMissing)
    async def missing(_: Request, error: PictureMissing) -> Response:
        return Response(str(error), 404, media_type="text/plain")

    @app.get("/pictures/{key}.png")
    def picture(key: str) -> Response:
        return FileResponse(image_files.path(key), media_type="image/png", headers=PNG_FOREVER)

    @app.get("/thumbs/{key}.webp")
    async def thumb(key: str) -> Response:
        return Response(await image_files.thumb(key), media_type="image/webp", headers=PNG_FOREVER)

    @app.get("/changes/{before}/{after}.webp")
    async def changes(before: str, after: str) -> Response:
        drawn = await image_files.changes(before, after)
        return Response(drawn, media_type="image/webp", headers=PNG_FOREVER)

    @app.get("/export")
    async def export(request: Request) -> Response:
        visitor = visitor_of(request)
        zipped = await controller.export(visitor)
        if isinstance(zipped, Message):
            return Response(translator(visitor.language)(zipped), 404, media_type="text/plain")
        headers = {**ASK_AGAIN, "Content-Disposition": 'attachment; filename="mgie.zip"'}
        return StreamingResponse(zipped, media_type="application/zip", headers=headers)

    @app.post("/pictures")
    async def upload(request: Request) -> Response:
        limit = PictureLimits().bytes
        size, file = await read_limited(request.stream(), limit)
        visitor = visitor_of(request)
        if file is None:
            told: Message | None = Message("file_too_large", size=mebibytes(size), limit=mebibytes(limit))
        else:
            told = await controller.upload(visitor, file)
        return JSONResponse({"text": translator(visitor.language)(told) if told else ""})


def _add_files(app: FastAPI, samples: Mapping[str, Sample]) -> None:
    @app.get("/samples/{name}")
    def sample(name: str) -> Response:
        if name not in samples:
            raise PictureMissing(name)
        return FileResponse(samples[name].path, headers=ASK_AGAIN)

    @app.get("/gradio_api/heartbeat/{tab}")
    def heartbeat(tab: str) -> Response:
        # gradio would hold one connection open per tab; browsers allow six, and stopping would wait for them.
        return Response(status_code=204)

    @app.get("/page.css")
    def style() -> Response:
        return FileResponse(PAGE / "page.css", headers=ASK_AGAIN)

    @app.get("/page.js")
    def script() -> Response:
        return FileResponse(PAGE / "page.js", headers=ASK_AGAIN)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the event loop."""
        yield


@asynccontextmanager
async def _serving(app: AccessGuard, listener: socket.socket) -> AsyncIterator[None]:
    connections = Connections()
    config = uvicorn.Config(
        app,
        http=connections.protocol(),
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]), name="web page")
    await server.listens.wait()
    listener.listen(WAITING)  # asyncio uses one number for both
    try:
        with surviving_exhaustion(connections.make_room):
            yield
    finally:
        server.should_exit = True
        await task
