"""Reads the body of a request up to a limit."""

from collections.abc import AsyncIterator


async def read_limited(chunks: AsyncIterator[bytes], limit: int) -> tuple[int, bytes | None]:
    """How many bytes came, and all of them together; None for more than `limit`, of which none are kept.

    A sender is heard out, since only then it listens to an answer; but not beyond 50 times the limit.
    """
    kept, size = bytearray(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size <= limit:
            kept += chunk
        else:
            kept.clear()
        if size > 50 * limit:
            break
    return size, bytes(kept) if size <= limit else None
