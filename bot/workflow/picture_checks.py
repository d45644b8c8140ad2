"""What pictures must pass, in every chat: uploads before they are stored, results before they are shown."""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.chat.cards import UNSAFE
from bot.chat.events import Event
from bot.ops.metrics import Metrics
from bot.policy.picture_marks import BarredPicture, barred_picture, find_barred
from bot.policy.picture_safety import PictureSafety, SafetyAction
from conversations.errors import NoSuchVersion
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.servers import ServerSettings
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools
from conversations.turn import Turn
from mgie_engine.edits import EditRequest, EditResult, Progress
from mgie_engine.errors import RequestRefused

CHATS_WITH_SPOILERS = frozenset({"discord"})
CLASSIFIER_TIMEOUT_S = 20.0
_UNSAFE = {"input": Message("unsafe_upload"), "output": Message("unsafe_result")}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UploadChecked:
    """Whether an upload is taken, and if so, whether behind spoilers; `about` is what an appeal is about."""

    refusal: Message | None = None
    about: str = ""
    is_hidden: bool = False


@dataclass(eq=False)
class PictureChecks:
    """Finds barred and sexual pictures, and makes the marks of those that moderators bar."""

    store: SessionStore
    pictures: PictureViews
    threads: ThreadPools
    metrics: Metrics
    safety: PictureSafety | None = None
    _marks: dict[str, BarredPicture] = field(default_factory=dict)  # by hash

    async def check_upload(
        self, png: bytes, pixels: int, event: Event, settings: ServerSettings
    ) -> UploadChecked:
        """Whether a picture may be stored, and how it is shown."""
        if found := await self._barred(png, pixels, settings, "input"):
            return UploadChecked(Message("image_blocked"), found)
        try:
            return UploadChecked(
                is_hidden=await self._is_hidden(png, pixels, event.source, event.user, "input")
            )
        except RequestRefused as refused:
            return UploadChecked(refused.message, f"{UNSAFE}{secrets.token_hex(4)}")

    async def check_request(self, turn: Turn, request: EditRequest) -> EditRequest:
        """The request; RequestRefused where the picture was barred after it was stored."""
        await self.refuse_barred(turn, request.image)
        return request

    async def refuse_barred(self, turn: Turn, png: bytes) -> None:
        """RequestRefused for a stored picture that was barred since, in the server of the turn."""
        if found := await self._barred(png, 0, await self._settings(turn), "input"):
            raise RequestRefused("starts from a barred picture", Message("result_filtered", hash=found))

    async def check_result(self, turn: Turn, result: EditResult) -> None:
        """Put the turn behind a spoiler where its result calls for it; RequestRefused if barred or sexual."""
        pixels = math.prod(result.size)
        if found := await self._barred(result.image, pixels, await self._settings(turn), "output"):
            raise RequestRefused("like a barred picture", Message("result_filtered", hash=found))
        if await self._is_hidden(result.image, pixels, turn.source, turn.user, "output"):
            await self.store.messages.hide_turns((turn.id,))

    def shown(self, progress: Progress) -> Progress:
        """Progress as users may see it: without previews where results are checked first."""
        return progress if self.safety is None else replace(progress, preview=None)

    async def _is_hidden(self, png: bytes, pixels: int, source: RequestSource, user: str, stage: str) -> bool:
        """Whether a picture goes behind a spoiler; RequestRefused if it is blocked or cannot be checked."""
        if self.safety is None:
            return False
        policy, has_spoilers = self.safety.policy, user.partition(":")[0] in CHATS_WITH_SPOILERS
        started = time.perf_counter()
        try:
            async with asyncio.timeout(CLASSIFIER_TIMEOUT_S):
                score = await self.threads.draw(pixels, self.safety.score, png)
            action = policy.action(score, source, has_spoilers=has_spoilers)
        except Exception as error:  # of a foreign package, or of its installation
            log.error("the classifier of pictures failed: %r", error)
            self.metrics.safety_verdicts.labels(stage, "broken").inc()
            if policy.is_open_broken:
                return False
            raise RequestRefused("the picture cannot be checked", Message("safety_broken")) from error
        self.metrics.safety_seconds.labels(stage).observe(time.perf_counter() - started)
        self.metrics.safety_verdicts.labels(stage, action or "pass").inc()
        if action is SafetyAction.BLOCK:
            raise RequestRefused("the picture looks sexual", _UNSAFE[stage])
        return action is SafetyAction.SPOILER

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

        def find() -> str | None:  # a thousand marks take most of a second to read
            self._marks.update((name, BarredPicture.from_bytes(data)) for name, data in stored.items())
            return find_barred(png, {name: self._marks.get(name) for name in settings.blocked_images})

        found = await self.threads.draw(pixels, find)
        if found is not None:
            self.metrics.filtered.labels(stage).inc()
        return found


async def save_mark(
    store: SessionStore, turn: Turn, draw: Callable[..., Awaitable[BarredPicture | None]]
) -> str:
    """Save the mark of a version that is about to be barred, and give its hash.

    The upload and the version that it was made from are not barred with it. `draw(work, keys)` runs
    `work(*files)` on stored pictures. RequestRefused for one that would not be found again; PictureMissing.
    """
    assert turn.image is not None
    above = (await store.session(turn.session_id)).path_to(turn)[:-1]
    sources = dict.fromkeys(source.image for source in (*above[:1], *above[-1:]) if source.image)
    return await save_barred(store, await draw(_told_apart, [turn.image, *sources]))


def _told_apart(png: bytes, *sources: bytes) -> BarredPicture | None:
    """As `barred_picture`; RequestRefused for one that is not told from the pictures it was made from."""
    barred = barred_picture(png, *sources)
    if barred is not None and find_barred(png, {barred.hash: barred}) is None:
        raise RequestRefused("the picture is like its source", Message("picture_is_like_source"))
    return barred


async def mark_of_version(
    store: SessionStore, turn_id: str, draw: Callable[..., Awaitable[BarredPicture | None]]
) -> str:
    """`save_mark` of a version by its id; NoSuchVersion also where it has no picture."""
    turn = await store.turn(turn_id)
    if turn.image is None:
        raise NoSuchVersion(turn_id)
    return await save_mark(store, turn, draw)


async def save_barred(store: SessionStore, barred: BarredPicture | None) -> str:
    """Save a mark, and give its hash; RequestRefused for None, a picture too flat to be found again."""
    if barred is None:
        raise RequestRefused("the picture has too little in it to be found again", Message("picture_is_flat"))
    await store.servers.add_picture_mark(barred.hash, barred.to_bytes())
    return barred.hash
