"""From offered pictures to a session: whose they are, the first readable one, blocked images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.chat.events import ButtonAction, EditAsked
from bot.chat.offered_pictures import OfferedFile, OfferedPictures
from bot.chat.replies import Note, Reply, buttons
from bot.ops.metrics import Metrics
from bot.policy.checks import is_in, refused_picture
from bot.workflow.consents import Consents, LentPicture
from bot.workflow.edit_masks import Masks
from bot.workflow.picture_checks import PictureChecks
from bot.workflow.targets import Context
from conversations.errors import PictureRefused, UserErased
from conversations.images.image_store import ImageStore, Picture, PictureLimits, PictureReader
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.picture_budget import PictureBudget
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools

TRIED = 4  # files of one message that are tried


@dataclass(frozen=True, slots=True)
class ReadUpload:
    """The first readable picture of a message, its file, and a note if there were others."""

    picture: Picture
    file: OfferedFile
    notes: tuple[Message, ...]


@dataclass(eq=False)
class Uploads:
    """Begins sessions on pictures that users bring or point at."""

    store: SessionStore
    images: ImageStore
    threads: ThreadPools
    consents: Consents
    budget: PictureBudget
    metrics: Metrics
    pictures: PictureViews
    checks: PictureChecks
    reader: PictureReader = field(default_factory=PictureReader)

    def __post_init__(self) -> None:
        self.masks = Masks(self.pictures, self.threads, self.reader)

    async def open(self, context: Context[EditAsked], pictures: OfferedPictures) -> EditSession | Reply:
        """A session on the first readable picture, or why there is none; PictureRefused if none is."""
        asked, owner = context.event, pictures.owner
        if objection := refused_picture(context.settings, asked.user, owner):
            self.metrics.edits_dropped.labels("own_only").inc()
            return Note(objection)
        await self.budget.check_disk()
        read, lender = await self.read(pictures.files, asked.user), None if pictures.is_free else owner
        if lender == asked.user:
            lender = None
        size = read.picture.width, read.picture.height
        found = await self.checks.check_upload(read.picture.png, math.prod(size), asked, context.settings)
        if found.refusal is not None:
            return Note(found.refusal, buttons=buttons(ButtonAction.APPEAL), about=found.about)
        if lender:
            # Kept while it waits for consent, as links expire.
            lent = LentPicture(read.picture.png, pictures.message, read.file.is_hidden or found.is_hidden)
            mask = await self.masks.png(asked.mask, size, asked.user) if asked.mask else None
            asking = await self.consents.objection(
                asked, lender, asked.text, is_open=False, picture=lent, mask=mask
            )
            if asking is not None:
                return asking
        deleted = await self.budget.make_room(asked.user, len(read.picture.png))
        made_room = (Message("made_room", count=deleted),) if deleted else ()
        image = await self.threads.disk(self.images.put, read.picture.png)
        opening = self.store.open_session(
            asked.channel,
            asked.user,
            image=image,
            notes=(*read.notes, *made_room),
            source=asked.source,
            is_hidden=asked.is_hidden
            or read.file.is_hidden
            or found.is_hidden
            or is_in(asked, context.settings.hidden),
            lent_by=lender,
            origin_message=pictures.message,
            event_id=None if asked.text else asked.event_id,
            asked_at=asked.asked_at,
        )
        try:
            return await opening
        except UserErased:
            await self.consents.erased.delete([image])
            raise

    async def read(self, files: Sequence[OfferedFile], user: str) -> ReadUpload:
        """The first file that can be read; the refusal of the first one if none can."""
        refusals: list[PictureRefused] = []
        for file in files[:TRIED]:
            try:
                sizes = {} if file.max_bytes is None else {"bytes": file.max_bytes}
                async with self.reader.turn(user, file.origin):
                    limits, data = PictureLimits(**sizes), await file.fetch()
                    picture = await self.reader.read(data, user, file.origin, limits=limits)
            except PictureRefused as refusal:
                refusals.append(refusal)
                continue
            others = (Message("used_first", count=len(files)),) if len(files) > 1 else ()
            return ReadUpload(picture, file, (*others, *picture.notes))
        raise refusals[0]
