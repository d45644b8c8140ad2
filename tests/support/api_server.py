"""The API for other programs on real parts; only the editor is the test's."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from openai import AsyncOpenAI
from PIL import Image, ImageDraw

from bot.openai_api.api_server import openai_api
from bot.policy.limits import Limits
from bot.workflow.dispatcher import EditWorkflow
from conversations.store.session_store import SessionStore
from mgie_engine.edits import (
    Changed,
    DeviceState,
    EditRequest,
    EditResult,
    EditRunner,
    Progress,
    Report,
    Stage,
)
from tests.support.fakes import a_preview, echo
from tests.support.page_server import MODEL, parts, to_png

KEY, OTHER_KEY = "a-key-for-one-program", "a-key-for-another-program"


@dataclass(frozen=True)
class ApiServer:
    """A running API, and the official client for it."""

    url: str
    client: AsyncOpenAI
    store: SessionStore
    workflow: EditWorkflow


@asynccontextmanager
async def api_server(
    folder: Path, editor: EditRunner, keys: Collection[str] = (), limits: Limits | None = None
) -> AsyncIterator[ApiServer]:
    """The API of a bot on the files of `folder`; the client has the first key."""
    async with (
        parts(folder, editor, limits=limits) as (store, _, workflow),
        openai_api(workflow, MODEL.name, keys) as url,
        client_of(url, next(iter(keys), "none")) as client,
    ):
        yield ApiServer(url, client, store, workflow)


def client_of(url: str, key: str) -> AsyncOpenAI:
    """The official client, which asks once."""
    return AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=30)


class PaintingSeeds:
    """Draws a bar as long as the seed on every picture, so that results differ; shows three previews."""

    slots = 2
    ready = True
    devices: tuple[DeviceState, ...] = ()

    def __init__(self) -> None:
        self.requests: list[EditRequest] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.cancelled = 0
        self._news = asyncio.Event()

    async def start(self, changed: Changed) -> None:
        """Nothing to start."""

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The picture with its bar, once `may_end` is set."""
        self.requests.append(request)
        self._news.set()
        for step in range(3):
            report(Progress(Stage.PAINTING, step, 3, "A bar appears.", preview=a_preview()))
            await asyncio.sleep(0)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            self._news.set()
            raise
        return replace(echo(request), image=barred(request.image, request.settings.seed), expressive="A bar.")

    async def until(self, *, begun: int = 0, cancelled: int = 0) -> None:
        """Wait until so many edits have begun, and so many were cancelled."""
        while len(self.requests) < begun or self.cancelled < cancelled:
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Nothing to close."""


def barred(png: bytes, seed: int) -> bytes:
    """The picture with a bar of `seed` pixels in its first row."""
    with Image.open(io.BytesIO(png)) as picture:
        ImageDraw.Draw(picture).line((0, 0, seed - 1, 0), fill="black")
        return to_png(picture)


def opened(b64_json: str | None) -> Image.Image:
    """The picture of an answer."""
    assert b64_json is not None
    picture = Image.open(io.BytesIO(base64.b64decode(b64_json)))
    picture.load()
    return picture


def bar_of(picture: Image.Image) -> int:
    """How long the bar of a picture is."""
    row = picture.convert("L").crop((0, 0, picture.width, 1)).tobytes()
    return row.count(0)
