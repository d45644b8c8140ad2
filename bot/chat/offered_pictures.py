"""Pictures that an event may be about. They are fetched only if needed, once the rules allow it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file that may be a picture: `fetch` gives its bytes or raises PictureRefused.

    is_hidden  it was posted behind a spoiler
    max_bytes  that it may have, where a chat allows another size than usual
    origin     what its user shares with others, such as an address; "" if that says nothing
    """

    fetch: Callable[[], Awaitable[bytes]]
    is_hidden: bool = False
    max_bytes: int | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class OfferedPictures:
    """The pictures of one message or command, the first readable one is meant; or the version it shows.

    message  key of the message that holds them, so that replies to it find v0
    owner    the user, bot or webhook who posted them; None: the user who asks
    is_free  they were posted by a bot or webhook, which cannot be asked for consent
    shows    the turn that a message of this bot shows, which a thread hangs on; then there are no files
    """

    files: tuple[OfferedFile, ...]
    message: str | None = None
    owner: str | None = None
    is_free: bool = False
    shows: str | None = None


@dataclass(frozen=True, slots=True)
class PictureOffer:
    """Where pictures may be: `find` looks there. None: there are none.

    It raises PictureRefused if there is something that the bot cannot or may not see.
    """

    find: Callable[[], Awaitable[OfferedPictures | None]]
    message: str | None = None  # key of the message, if it is known before


def offered(
    data: bytes,
    *,
    message: str | None = None,
    owner: str | None = None,
    is_hidden: bool = False,
) -> PictureOffer:
    """The offer of a picture that is here already."""

    async def fetch() -> bytes:
        return data

    return offer_of(OfferedPictures((OfferedFile(fetch, is_hidden),), message, owner))


def offer_of(pictures: OfferedPictures) -> PictureOffer:
    """The offer of pictures that are known already."""

    async def find() -> OfferedPictures:
        return pictures

    return PictureOffer(find, pictures.message)
