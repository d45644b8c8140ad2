"""How much, how long and how many: the limits for requests to the page, and the counts they are held to."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from conversations.images.decode import MIB, PictureLimits

FORM_BYTES = 64 * 1024
FORM_S = 10.0  # seconds that a form may take to arrive
UPLOAD_BYTES = PictureLimits().bytes
LOCAL_UPLOAD_BYTES = 40 * MIB  # where only this machine reaches the page
UPLOAD_S = 300.0
UPLOAD_PAUSE_S = 15.0  # between two pieces of an upload
HEADER_S = 30.0  # for a request to arrive, from the connection or the last answer on
SEND_S = 900.0  # for an answer to be read

REQUESTS_PER_VISITOR = 32  # at once
STREAMS_PER_VISITOR = 8
STREAMS = 400
UPLOADS_PER_VISITOR = 3
UPLOADS = 32  # being received, into files
UPLOADS_IN_MEMORY = 8


class TooManyAtOnce(Exception):
    """A visitor, or all of them, have as much under way as they may."""


class Underway:
    """Counts what is under way: of each visitor, and in all."""

    def __init__(self, per_visitor: int, most: int | None = None) -> None:
        self._per_visitor = per_visitor
        self._most = most
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one_more(self, visitor: str) -> Iterator[None]:
        """Count one while the block runs; TooManyAtOnce if that is one too many."""
        if self._counts[visitor] >= self._per_visitor:
            raise TooManyAtOnce
        if self._most is not None and self._counts.total() >= self._most:
            raise TooManyAtOnce
        self._counts[visitor] += 1
        try:
            yield
        finally:
            self._counts[visitor] -= 1
            if not self._counts[visitor]:
                del self._counts[visitor]
