"""What pictures must pass, in every chat: uploads before they are stored, results before they are shown."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.ops.metrics import Metrics
from bot.policy.picture_marks import BarredPicture, barred_picture, find_barred
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.servers import ServerSettings
from conversations.session import Turn
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools
from mgie_engine.edits import EditRequest, EditResult
from mgie_engine.errors import RequestRefused


@dataclass(eq=False)
class PictureChecks:
    """Finds barred pictures, and makes the marks of those that moderators bar."""

    store: SessionStore
    pictures: PictureViews
    threads: ThreadPools
    metrics: Metrics
    _marks: dict[str, BarredPicture] = field(default_factory=dict)  # by hash

    async def barred_upload(self, png: bytes, pixels: int, settings: ServerSettings) -> str | None:
        """The hash of the barred picture that an upload is, if any."""
        return await self._barred(png, pixels, settings, "input")

    async def check_request(self, turn: Turn, request: EditRequest) -> EditRequest:
        """The request; RequestRefused where the picture was barred after it was stored."""
        if found := await self._barred(request.image, 0, await self._settings(turn), "input"):
            raise RequestRefused("starts from a barred picture", Message("result_filtered", hash=found))
        return request

    async def check_result(self, turn: Turn, result: EditResult) -> EditResult:
        """The result; RequestRefused for a barred picture."""
        pixels = math.prod(result.size)
        if found := await self._barred(result.image, pixels, await self._settings(turn), "output"):
            raise RequestRefused("like a barred picture", Message("result_filtered", hash=found))
        return result

    async def mark(self, turn: Turn) -> str:
        """As `save_mark`, on a thread for drawings."""
        return await save_mark(self.store, turn, self.pictures.draw)

    async def _settings(self, turn: Turn) -> ServerSettings:
        return await self.store.servers.settings(turn.source.server)

    async def _barred(self, png: bytes, pixels: int, settings: ServerSettings, stage: str) -> str | None:
        if not settings.blocked_images:
            return None
        unknown = [name for name in settings.blocked_images if name not in self._marks]
        stored = await self.store.servers.picture_marks(unknown) if unknown else {}
        self._marks |= {name: BarredPicture.from_bytes(data) for name, data in stored.items()}
        barred = {name: self._marks.get(name) for name in settings.blocked_images}
        found = await self.threads.draw(pixels, find_barred, png, barred)
        if found is not None:
            self.metrics.filtered.labels(stage).inc()
        return found


async def save_mark(
    store: SessionStore, turn: Turn, draw: Callable[..., Awaitable[BarredPicture | None]]
) -> str:
    """Save the mark of a version that is about to be barred, and give its hash.

    The upload and the version that it was made from are not barred with it. `draw(work, keys)` runs
    `work(*files)` on stored pictures. RequestRefused for one too flat to be found again; PictureMissing.
    """
    assert turn.image is not None
    above = (await store.session(turn.session_id)).path_to(turn)[:-1]
    sources = dict.fromkeys(source.image for source in (*above[:1], *above[-1:]) if source.image)
    barred = await draw(barred_picture, [turn.image, *sources])
    if barred is None:
        raise RequestRefused("the picture is flat", Message("picture_is_flat"))
    await store.servers.add_picture_mark(barred.hash, barred.to_bytes())
    return barred.hash
