"""The data of a user: shown, exported, erased; and the deletion of old images."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.chat.events import ButtonAction, DeleteAsked, Event, ExportAsked, ForgetAsked, PrivacyAsked
from bot.chat.replies import Erased, Files, Note, Reply, buttons
from bot.chat.session_events import DeleteSessionAsked
from bot.ops.clocks import boot_id, uptime_s
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.tidy_guard import judge_tidy
from bot.workflow.consents import Consents
from bot.workflow.exports import Exports, delete_old_folders
from bot.workflow.forgetting import Forgetting
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context
from conversations.errors import ConversationError
from conversations.export import export_chunks, export_parts
from conversations.images.image_store import ImageStore
from conversations.messages import Message, joined
from conversations.store.session_store import SessionStore
from conversations.store.user_data import ErasedData, no_picture
from conversations.turn import Turn

log = logging.getLogger(__name__)

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(eq=False)
class Privacy:
    """Answers requests of users about their data. `keep_days`: how long images stay; None for ever."""

    store: SessionStore
    images: ImageStore
    runner: TurnRunner
    consents: Consents
    keep_days: float | None
    clock: Callable[[], float] = time.time
    uptime: Callable[[], float] = uptime_s
    host: HostFacts = NO_HOST

    def __post_init__(self) -> None:
        self._boot, self._started = boot_id(), self.clock()
        self._forgetting = Forgetting(self.store, self.runner, self.host)
        self._exports = Exports(self.runner.threads, self.uptime)

    def handlers(self) -> dict[type[Event], Callable[[Context[Any]], Awaitable[Reply]]]:
        """Who answers which event."""
        return {
            PrivacyAsked: self.view,
            ExportAsked: self.export,
            ForgetAsked: self.forget,
            DeleteAsked: self.delete,
            DeleteSessionAsked: self.delete_session,
        }

    async def view(self, context: Context[PrivacyAsked]) -> Note:
        """How much is stored, and for how long."""
        asked = context.event
        counts = await self._counts(asked.user)
        if self.keep_days is None:
            kept = Message("kept_for_good", **_counted(*counts))
        else:
            kept = Message("kept", **_counted(*counts), days=Message("days", count=round(self.keep_days)))
        return Note(joined("\n", kept, *self._words_kept(), *self.host.law))

    def _words_kept(self) -> list[Message]:
        days = self.host.forget_days
        return [] if days is None else [Message("words_kept", days=Message("days", count=round(days)))]

    async def export(self, context: Context[ExportAsked]) -> Reply:
        """All data of the user as zip files."""
        asked = context.event
        kept = await self.store.export_user(asked.user)
        ids = {row["session_id"]: None for row in kept["turns"]}
        if not any(rows for what, rows in kept.items() if what != "user"):
            return Note(Message("nothing_kept"))
        sessions = [await self.store.session(session_id) for session_id in ids]
        if objection := self._exports.objection(asked.user):  # nothing is awaited from here on
            return objection
        if asked.max_bytes is None:
            steps = export_chunks(asked.user, kept, sessions, self.images)
        else:
            steps = export_parts(asked.user, kept, sessions, self.images, asked.max_bytes)
        return Files(Message("exported"), self._exports.begin(asked.user, steps))

    async def forget(self, context: Context[ForgetAsked]) -> Reply:
        """Erase rows, pictures and running edits; unless confirmed, only say what that means."""
        asked = context.event
        counts = await self._counts(asked.user)
        # Without those it is at most settings, consents, questions, the language and waiting words.
        if any(counts) and not asked.is_confirmed:
            return Note(
                Message("forget_sure", **_counted(*counts)),
                buttons=buttons(ButtonAction.FORGET_ME),
                asks=asked.user,
            )
        forgotten = await self.store.delete_user(asked.user, asked.asked_at)
        await self._finish(forgotten)
        if not any(counts):
            return Erased(Message("nothing_kept"), forgotten.messages)
        return Erased(Message("forgotten", count=len(forgotten.turns)), forgotten.messages)

    async def delete(self, context: Context[DeleteAsked]) -> Reply:
        """Erase one version; of an upload only the picture goes, since the others hang on it."""
        if context.target is None:
            return Note(Message("no_session"))
        turn = context.target.turn
        return Erased(Message("deleted", version=turn.label), await self.erase(turn))

    async def delete_session(self, context: Context[DeleteSessionAsked]) -> Reply:
        """Erase a session; unless confirmed, only say what that means."""
        asked, session = context.event, context.session
        if session is None:
            return Note(Message("no_session"))
        edits = Message("edits", count=len(session.turns) - 1)
        if not asked.is_confirmed:
            sure = buttons(ButtonAction.DELETE_SESSION)
            text = Message("delete_session_sure", edits=edits)
            return Note(text, buttons=sure, about=session.root.id, asks=asked.user)
        erased = await self.store.delete_session(session.id)
        await self._finish(erased)
        return Erased(Message("session_deleted", edits=edits), erased.messages)

    async def _finish(self, erased: ErasedData) -> None:
        """Cancel what was erased and still runs, and delete its images."""
        for turn in erased.turns:
            self.runner.drop(turn.id)
        await self.runner.erased.delete(erased.images)

    async def erase(self, turn: Turn) -> tuple[str, ...]:
        """Erase a turn and cancel its edit; of an upload only the image. Gives its messages, to delete."""
        messages = await self.erase_picture(turn)
        if not turn.is_upload:
            await self.store.delete_turn(turn.id)
            self.runner.drop(turn.id)
            await self.runner.erased.delete(turn.pictures)
        return messages

    async def erase_picture(self, turn: Turn) -> tuple[str, ...]:
        """Delete the image of a turn, unless another turn has it, too. Gives its messages, to delete."""
        messages = await self.store.messages.of_turn(turn.id)
        await self.store.messages.delete_later(messages)
        if turn.cells:
            await self.store.update_turn(turn.id, cells=())
            await self.runner.erased.delete(cell.image for cell in turn.cells)
        if turn.image is None:
            return messages
        if not await self.store.is_shared(turn.image):
            await self.runner.threads.disk(self.images.delete, turn.image)
        await self.store.update_turn(turn.id, image=no_picture(turn.id))
        if turn.mask is not None:
            await self.store.update_turn(turn.id, mask=no_picture(turn.id))
            await self.runner.erased.delete([turn.mask])
        return messages

    async def delete_old_images(self) -> int:
        """Delete images of sessions unused for `keep_days`, and of no session; how many.

        Sessions, words and settings go that are older still. Questions about images that expired go in any
        case. No image goes, with a warning, while the clock may
        be wrong; see bot.policy.tidy_guard.
        """
        await self.consents.delete_expired()
        await self.store.ageing.clear_short_lived()
        forgettable = await self._forgetting.find(self.clock())
        sessions = await self.store.ageing.count_sessions() if forgettable.sessions else 0
        found, stored = await self._old_images()
        evidence, objection = judge_tidy(
            await self.store.bot.clock_evidence(),
            self.clock(),
            self.uptime(),
            self._boot,
            len(found) + len(forgettable.sessions),
            stored + sessions,
        )
        await self.store.bot.save_clock_evidence(evidence)
        if objection:
            log.warning("%d of %d pictures look old and are not deleted: %s", len(found), stored, objection)
            return 0
        await self._forgetting.erase(forgettable, self.clock())
        return await self.runner.threads.disk(self.images.delete_all, found)

    async def _old_images(self) -> tuple[set[str], int]:
        """The stored images that may be deleted, and how many are stored in all."""
        if self.keep_days is None:
            return set(), 0
        old = await self.store.images_untouched_since(self.clock() - self.keep_days * DAY_S)
        used = await self.store.images_in_use()
        return await self.runner.threads.disk(self._found_old, old, used)

    def _found_old(self, old: frozenset[str], used: frozenset[str]) -> tuple[set[str], int]:
        """The stored pictures that may be deleted, and how many are stored in all."""
        self.images.recount()  # others may have changed the folder
        stored = set(self.images.keys())
        return {*(old & stored), *self._orphans(stored - used)}, len(stored)

    def _orphans(self, loose: Iterable[str]) -> list[str]:
        """Of the pictures no turn has, those that a killed run left, or that have lain here for a day."""
        young = max(self._started, self.clock() - DAY_S)
        return [key for key in loose if self.images.path(key).stat().st_mtime < young]

    async def clean_up_forever(self, every_s: float) -> None:
        """Delete old images every `every_s` seconds, until cancelled; questions not yet posted are, too."""
        while True:
            try:
                await self.runner.threads.disk(self._delete_leftovers, self.clock() - HOUR_S)
                await self.runner.erased.delete_pending()
                for chat in self.runner.delivery.chats:
                    await self.consents.resume(chat)
                if count := await self.delete_old_images():
                    log.info("%d old pictures were deleted", count)
            except (ConversationError, OSError):
                log.exception("old pictures could not be deleted")
            await asyncio.sleep(every_s)

    def _delete_leftovers(self, before: float) -> None:
        self.images.delete_partial_files(before)
        delete_old_folders(before)

    async def _counts(self, user: str) -> tuple[int, int]:
        """How many images the user uploaded, and how many edits they asked for."""
        kept = await self.store.export_user(user)
        uploads = sum(row["parent_id"] is None for row in kept["turns"])
        return uploads, len(kept["turns"]) - uploads


def _counted(pictures: int, edits: int) -> dict[str, Message]:
    return {"pictures": Message("pictures", count=pictures), "edits": Message("edits", count=edits)}
