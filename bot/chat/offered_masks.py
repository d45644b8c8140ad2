"""Regions that users mark by hand: outside of them a picture stays as it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conversations.images.marks import Marks


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A picture of the same size, transparent where the other may change; without transparency, white there.

    `fetch` gives its bytes.
    """

    fetch: Callable[[], Awaitable[bytes]]


MaskOffer = MaskFile | Marks


def mask_file(data: bytes) -> MaskFile:
    """A mask that is here already."""

    async def fetch() -> bytes:
        return data

    return MaskFile(fetch)
