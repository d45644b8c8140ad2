"""Deletes the files of erased pictures: at once, and what a kill left of that at the next start."""

from collections.abc import Iterable

from conversations.images.image_store import ImageStore
from conversations.store.session_store import SessionStore
from conversations.thread_pools import ThreadPools


class ErasedPictures:
    """Pictures that go because nothing has them any more. The database lists those of erased users."""

    def __init__(self, store: SessionStore, images: ImageStore, threads: ThreadPools) -> None:
        self._store, self._images, self._threads = store, images, threads

    async def delete(self, keys: Iterable[str | None]) -> None:
        """Delete these files, but for those that a version or a question has; no matter if one is gone."""
        unused = [key for key in keys if key and not await self._store.pictures.is_used(key)]
        for key in unused:
            await self._threads.disk(self._images.delete, key)
        await self._store.pictures.deleted(unused)

    async def delete_pending(self) -> None:
        """Delete what the database lists."""
        pending = await self._store.pictures.to_delete()
        await self.delete(pending)
        await self._store.pictures.deleted(pending)  # also those that are in use again
