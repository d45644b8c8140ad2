"""Requests of operators on a chat, and what the running bot does for decisions of any way.

Decisions on the command line reach the bot through the database, which is read every few seconds.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.chat.operator_events import OperatorAct, OperatorActRequested
from bot.chat.replies import Note
from bot.policy.host_facts import HostFacts
from bot.policy.picture_marks import barred_picture
from bot.workflow.notices import Notices
from bot.workflow.operator_decisions import NotUnderstood, OperatorDecision, carry_out, is_hash, user_meant
from bot.workflow.picture_checks import mark_of_version, save_barred
from bot.workflow.privacy import Privacy
from bot.workflow.removal import Removal
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context
from bot.workflow.uploads import Uploads
from conversations.errors import ConversationError
from conversations.images.image_store import ImageStore
from conversations.messages import Message
from conversations.shares import ShareRules
from conversations.store.operator_tables import OperatorWork
from conversations.store.session_store import SessionStore

WORK_EVERY_S = 3.0
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Operators:
    """Carries out what operators decide. `rules`: the limits of the environment."""

    store: SessionStore
    images: ImageStore
    runner: TurnRunner
    uploads: Uploads
    privacy: Privacy
    host: HostFacts
    rules: ShareRules
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.notices = Notices(self.store, self.runner, self.host, self.clock)
        self._removal = Removal(self.store, self.images, self.privacy)
        self.told_to_stop = asyncio.Event()  # by a drain
        self._has_work, self._working = asyncio.Event(), asyncio.Lock()
        self._started = self.clock()

    async def requested(self, context: Context[OperatorActRequested]) -> Note:
        """Do what an operator asks on a chat, and say what holds now."""
        asked = context.event
        subject, version = asked.subject, ""
        if asked.act in (OperatorAct.BLOCK, OperatorAct.UNBLOCK):
            subject = user_meant(subject)
        elif asked.act in (OperatorAct.BAR, OperatorAct.UNBAR, OperatorAct.REMOVE):
            subject, version = await self._picture(asked)
        elif asked.act is OperatorAct.LOG and subject and not is_hash(subject):
            with suppress(NotUnderstood):  # then it is a version
                subject = user_meant(subject)
        decision = OperatorDecision(asked.act, asked.user, subject, version, asked.edits, asked.outcome)
        said = await carry_out(self.store, decision, self.clock(), self.rules)
        self._has_work.set()
        return Note(said)

    async def _picture(self, asked: OperatorActRequested) -> tuple[str, str]:
        """The hash of the picture that is meant, and the version that it belongs to, if one was named."""
        if asked.picture is not None and (offered := await asked.picture.find()):
            picture = (await self.uploads.read(offered.files, asked.user)).picture
            pixels = picture.width * picture.height
            barred = await self.runner.threads.draw(pixels, barred_picture, picture.png)
            return await save_barred(self.store, barred), ""
        if not asked.subject:
            raise ConversationError("no picture is named", Message("operator_no_picture"))
        if is_hash(asked.subject):
            return asked.subject, ""
        return await mark_of_version(self.store, asked.subject, self.runner.pictures.draw), asked.subject

    # -- work of the running bot --------------------------------------------------------------------------

    async def work_forever(self) -> None:
        """Do what is to be done, at once for decisions of this process, until cancelled."""
        while True:
            try:
                await self.work()
                await self.notices.remind()
            except (ConversationError, OSError):
                log.exception("decisions of operators could not be carried out now")
            with suppress(TimeoutError):
                async with asyncio.timeout(WORK_EVERY_S):
                    await self._has_work.wait()
            self._has_work.clear()

    async def work(self) -> None:
        """Do what is to be done now."""
        async with self._working:
            for work in await self.store.operators.pending():
                if await self._is_done(work):
                    await self.store.operators.done(work.id)

    async def _is_done(self, work: OperatorWork) -> bool:
        """Do it; whether nothing of it is left."""
        match work.act:
            case OperatorAct.BLOCK:
                for active in self.runner.active.of_user(work.subject):
                    await self.runner.cancel(active.turn.id)
            case OperatorAct.REMOVE:
                await self._removal.remove(work.subject)
            case OperatorAct.DRAIN if work.at >= self._started:  # not one that ended an earlier run
                await self.store.operators.done(work.id)  # before the process may end
                self.told_to_stop.set()
            case OperatorAct.ANNOUNCE:
                return await self._announce(work)
        return True

    async def _announce(self, work: OperatorWork) -> bool:
        """Post an announcement in every server once; whether all have it or cannot have it."""
        if not work.subject:
            return True
        posted = await self.store.operators.announced_in(work.id)
        is_complete = True
        for server in self.runner.delivery.servers:
            if server in posted:
                continue
            settings = await self.store.servers.settings(server)
            if settings.announcement != work.subject:
                return True  # it is over, or another one has taken its place
            if await self.runner.delivery.announce(
                server, settings.reports, work.subject, f"announce-{work.id}"
            ):
                await self.store.operators.announced(work.id, server)
            else:
                is_complete = False
        return is_complete and self.runner.delivery.is_connected
