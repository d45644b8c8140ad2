"""Downloads one large file from an ordinary web server, and resumes it by Range. Imports no torch.

Beside the partial file, NAME.part.json says which file of the server it belongs to, so that two versions of
it are never joined. Redirects are not followed: the address that was asked is the one that answers.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import huggingface_hub.errors
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

from conversations.atomic_write import write_atomically
from mgie_engine.errors import ModelError
from mgie_engine.install.ledger import part_of, progress_bar

TRIES = 3  # in a row that bring no byte
PAUSE_S = 1.0
TIMEOUT_S = 30.0
_BROKEN = (OSError, huggingface_hub.errors.HTTPError)  # type: ignore[attr-defined]


class Unavailable(ModelError):
    """A source does not offer the file at all; another one may."""


@dataclass(frozen=True, slots=True)
class _Version:
    """Which file of a server a download belongs to."""

    url: str
    size: int
    tag: str | None  # ETag or Last-Modified, for If-Range


def download(url: str, folder: Path, name: str, most: int, make_room: Callable[[int], None]) -> Path:
    """Download `url` to `folder`/`name`, going on where an earlier try stopped; returns that path.

    most: bytes that are accepted at most. make_room: is told how many bytes are still to come before they do,
    and raises if there is no room. Unavailable if the server does not offer the file, ModelError if it stops
    coming.
    """
    part, target = part_of(folder, name), folder / name
    tries = 0
    while not target.is_file():
        before = _size(part)
        try:
            _receive(url, part, most, make_room)
            part.replace(target)
            _note(part).unlink()
        except _BROKEN as error:
            tries = 1 if _size(part) > before else tries + 1
            if tries == TRIES:
                if not _size(part):
                    raise Unavailable(f"{url} could not be reached: {error}.") from error
                raise ModelError(
                    f"{name} stopped coming ({error}); the same command goes on where it stopped."
                ) from error
            time.sleep(PAUSE_S)
    return target


def _receive(url: str, part: Path, most: int, make_room: Callable[[int], None]) -> None:
    """Bring the rest of a file. OSError or the client's error if the connection ends before it does."""
    known = _known(part, url)
    if known and known.size == _size(part):
        return
    headers = {"Accept-Encoding": "identity"}
    if known and known.tag and _size(part):
        headers |= {"Range": f"bytes={_size(part)}-", "If-Range": known.tag}
    with get_session().stream(
        "GET", url, headers=headers, follow_redirects=False, timeout=TIMEOUT_S
    ) as response:
        start, version = _answer(url, response.status_code, response.headers, most)
        if response.status_code == 206 and (start != _size(part) or (known and version.size != known.size)):
            part.unlink(missing_ok=True)  # the next try begins from the start
            raise OSError("the server sent another part than was asked for")
        write_atomically(_note(part), json.dumps(asdict(version)).encode())
        with part.open("ab") as file:
            file.truncate(start)
            make_room(version.size - start)
            with progress_bar(part.stem, version.size, start) as bar:
                for chunk in response.iter_raw():
                    if start + len(chunk) > version.size:
                        raise OSError("more came than was announced")
                    start += file.write(chunk)
                    bar.update(len(chunk))
    if start < version.size:
        raise OSError("the connection ended too early")


def _answer(url: str, status: int, headers: Mapping[str, str], most: int) -> tuple[int, _Version]:
    """Where in the file an answer begins, and the version of the file. Unavailable if it is no such file."""
    if status >= 500:
        raise OSError(f"the server answered {status}")
    if status not in (200, 206):
        where = (
            f", which leads to {headers['location']},"
            if 300 <= status < 400 and "location" in headers
            else ""
        )
        raise Unavailable(f"{url} answered {status}{where} and not with the file.")
    start, size = 0, headers.get("content-length", "")
    if status == 206:
        span, _, size = headers.get("content-range", "").removeprefix("bytes ").partition("/")
        start = int(first) if (first := span.partition("-")[0]).isdecimal() else -1
    if not size.isdecimal() or not 0 < int(size) <= most:
        raise Unavailable(
            f"{url} announces a size of {size or 'nothing'}, and at most {most} bytes are taken."
        )
    tag = headers.get("etag", "")
    strong = tag if tag.startswith('"') else headers.get("last-modified")  # a weak tag is no promise of bytes
    return start, _Version(url, int(size), strong)


def _known(part: Path, url: str) -> _Version | None:
    """The version that a partial file belongs to; None if that is unknown or another address."""
    try:
        known = _Version(**json.loads(_note(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return known if known.url == url else None


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
