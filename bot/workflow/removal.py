"""Removes every copy of a picture and its likes, in all sessions, servers and messages of the bot."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from bot.policy.picture_marks import BarredPicture, find_barred
from bot.workflow.privacy import Privacy
from conversations.errors import ConversationError
from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Removal:
    """Looks at every stored picture, one after the other."""

    store: SessionStore
    images: ImageStore
    privacy: Privacy

    async def remove(self, image_hash: str) -> int:
        """Erase each version whose picture is like that hash, and its messages; how many versions."""
        stored = (await self.store.servers.picture_marks([image_hash])).get(image_hash)
        barred = {image_hash: BarredPicture.from_bytes(stored) if stored else None}
        removed = 0
        for key in sorted(await self.store.images_in_use()):
            if await self._is_like(key, barred):
                for question in await self.store.consent_questions.of_image(key):
                    await self.privacy.consents.end(question)
                for turn in await self.store.turns_with(key):
                    messages = await self.privacy.erase(turn)
                    await self.privacy.runner.delivery.delete(messages)
                    removed += 1
        log.info("%d versions with pictures like %s were removed", removed, image_hash)
        return removed

    async def _is_like(self, key: str, barred: Mapping[str, BarredPicture | None]) -> bool:
        def look() -> bool:
            return find_barred(self.images.get(key), barred) is not None

        try:
            return await self.privacy.runner.threads.disk(look)
        except (ConversationError, OSError):  # erased meanwhile, or damaged
            return False
