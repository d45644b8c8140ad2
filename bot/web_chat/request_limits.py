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
SEND_S = 900.0  # for an answer to be read

# At once. A visitor is a cookie, which costs nothing to change; an address may be that of a whole office.
REQUESTS_PER_VISITOR, REQUESTS_PER_ADDRESS = 32, 200
TAKEN, TAKEN_PER_ADDRESS = 8, 3  # pictures in memory that are being taken along
TAKE_S, SLOWEST = 30.0, 64 * 1024  # seconds for that, and bytes a second
REQUESTS = 1000  # as many as there are connections
DRAWN_PER_VISITOR, DRAWN_PER_ADDRESS = 2, 6  # pages that are being drawn; others wait
STREAMS_PER_VISITOR, STREAMS_PER_ADDRESS = 8, 100
STREAMS = 400
UPLOADS_PER_VISITOR, UPLOADS_PER_ADDRESS = 3, 8
UPLOADS = 64  # received into files; then the slowest one makes room


class TooManyAtOnce(Exception):
    """A visitor, an address, or all of them, have as much under way as they may."""


class Underway:
    """Counts what is under way: of each visitor, from each address, and in all."""

    def __init__(self, per_visitor: int, per_address: int, most: int | None = None) -> None:
        self._per_visitor = per_visitor
        self._per_address = per_address
        self._most = most
        self._visitors: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    @contextmanager
    def one_more(self, visitor: str, address: str | None) -> Iterator[None]:
        """Count one while the block runs; TooManyAtOnce if that is one too many.

        `address`: None for one that says nothing, such as that of this machine.
        """
        if self._visitors[visitor] >= self._per_visitor:
            raise TooManyAtOnce
        if address is not None and self._addresses[address] >= self._per_address:
            raise TooManyAtOnce
        if self._most is not None and self._visitors.total() >= self._most:
            raise TooManyAtOnce
        with _counted(self._visitors, visitor), _counted(self._addresses, address):
            yield


@contextmanager
def _counted(counts: Counter[str], key: str | None) -> Iterator[None]:
    if key is None:
        yield
        return
    counts[key] += 1
    try:
        yield
    finally:
        counts[key] -= 1
        if not counts[key]:
            del counts[key]
