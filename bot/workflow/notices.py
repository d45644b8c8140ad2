"""Notices from outside of the chats: received, told to operators, decided."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.chat.replies import Note, duration
from bot.policy.host_facts import HostFacts
from bot.policy.notice_clock import DECIDED_WITHIN_S, is_due
from bot.policy.picture_marks import barred_picture
from bot.workflow.picture_checks import mark_of_version, save_barred
from bot.workflow.runner import TurnRunner
from conversations.errors import ConversationError
from conversations.messages import Message, joined
from conversations.request_source import NO_SOURCE
from conversations.store.notice_tables import PictureNotice
from conversations.store.session_store import SessionStore
from mgie_engine.errors import RequestRefused

SHOWN = 10
ABOUT_CHARS, REASON_CHARS, CONTACT_CHARS = 300, 2000, 200
_LINK = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/channels/(?:\d+|@me)/(\d+)/(\d+)")
_VERSION = re.compile(r"[a-z0-9]{1,32}")
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Notices:
    """Receives notices and reminds operators of them. `clock`: Unix seconds, the store's."""

    store: SessionStore
    runner: TurnRunner
    host: HostFacts
    clock: Callable[[], float] = time.time

    async def receive(self, about: str, png: bytes | None, reason: str, contact: str) -> int | None:
        """Save a notice about what is pointed at, or about a picture; its number (None: too many)."""
        image_hash = await self._hash_of(about.strip(), png)
        return await self.store.notices.add(
            about.strip()[:ABOUT_CHARS],
            image_hash,
            reason.strip()[:REASON_CHARS],
            contact.strip()[:CONTACT_CHARS],
        )

    async def _hash_of(self, about: str, png: bytes | None) -> str:
        """The hash of a picture, or of that which a link to a message or a version's id names; "" if none."""
        try:
            if png is not None:
                barred = await self.runner.threads.disk(barred_picture, png)
                return await save_barred(self.store, barred)
            shown = None
            if link := _LINK.match(about):
                shown = await self.store.find_by_message(f"discord:{link[1]}:{link[2]}")
            elif not _VERSION.fullmatch(about):
                return ""
            version = about if shown is None else shown.id
            return await mark_of_version(self.store, version, self.runner.pictures.draw)
        except (ConversationError, RequestRefused):
            return ""

    async def remind(self) -> int:
        """Tell every operator of the notices that are due; how many there are."""
        now = self.clock()
        due = [n for n in await self.store.notices.open_notices() if is_due(n.at, n.reminded_at, now)]
        for notice in due:
            log.warning("notice %d waits for a decision: mgie-bot admin notices", notice.id)
            text = joined("\n", Message("notice_due"), line_of(notice, now))
            told = [await self._tell(operator, text, notice, now) for operator in self.host.operators]
            if any(told) or not told:  # who could be told is not told twice
                await self.store.notices.reminded(notice.id)
        return len(due)

    async def _tell(self, operator: str, text: Message, notice: PictureNotice, now: float) -> bool:
        """Post it to an operator; False if it is to be tried again."""
        try:
            nonce = f"notice-{notice.id}-{round(now - notice.at) // 3600}"
            async with asyncio.timeout(60):
                return (
                    await self.runner.delivery.post(NO_SOURCE, Note(text, asks=operator), nonce) is not None
                )
        except Exception as error:  # an operator without DMs must not keep the others from theirs
            log.warning("%s cannot be told of notice %d: %r", operator, notice.id, error)
            return True


def line_of(notice: PictureNotice, now: float) -> Message:
    """A notice in a line: its number, how long there is to decide, what it is about."""
    left_s = notice.at + DECIDED_WITHIN_S - now
    left = Message("notice_left", wait=duration(left_s)) if left_s > 0 else Message("notice_overdue")
    return Message(
        "notice_line",
        number=notice.id,
        left=left,
        about=notice.about or "–",
        hash=notice.image_hash or "–",
        reason=notice.reason,
        contact=notice.contact or "–",
    )


async def listed(store: SessionStore, now: float) -> Message:
    """The open notices, oldest first."""
    found = await store.notices.open_notices()
    lines = [line_of(notice, now) for notice in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(Message("and_more", count=len(found) - SHOWN))
    return joined("\n", *lines) if lines else Message("notices_none")
