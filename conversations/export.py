"""Everything a user made, as zip files: images as stored, conversations in LLaVA's message format.

    person.json                    what the database holds about the user
    <session>/conversation.json    one conversation per branch, each readable by Conversation.from_dict
    <session>/v0.png, v1.png …     the versions of those branches, byte for byte
    <session>/v1-mask.png …        where a version was allowed to change, if that was marked by hand
    <session>/story.webp           an animation of the newest branch

Written piece by piece, without a temporary file. Every step blocks: take each on a thread.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from conversations.animation import AnimationFrame, animation
from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore
from conversations.llava.conversation import IMAGE_TOKEN
from conversations.llava.templates import template
from conversations.session import EditSession
from conversations.turn import Turn

TEMPLATE = "vicuna_v1_1"
OVERHEAD = 512  # bytes that a zip adds per file, at most
CHUNK = 256 * 1024  # bytes read at once
MAX_FRAMES = 40  # of an animation


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of the export: its size in bytes, and its bytes in chunks."""

    name: str
    size: int
    chunks: Iterable[bytes]


def export_chunks(
    user: str, stored: Mapping[str, Any], sessions: Iterable[EditSession], images: ImageStore
) -> Iterator[bytes]:
    """The user's export as one zip, in chunks of some hundred kilobytes.

    `stored` comes from SessionStore.export_user; `sessions` are those the user has turns in. Images that are
    no longer stored are left out.
    """
    return _zip_chunks(_entries(user, stored, sessions, images))


def export_parts(
    user: str,
    stored: Mapping[str, Any],
    sessions: Iterable[EditSession],
    images: ImageStore,
    max_bytes: int,
) -> Iterator[bytes]:
    """As export_chunks, but whole zips of at most `max_bytes` each; a larger image gets a zip of its own."""
    part: list[ExportFile] = []
    used = 0
    for entry in _entries(user, stored, sessions, images):
        size = entry.size + OVERHEAD + 4 * len(entry.name)
        if part and used + size > max_bytes:
            yield b"".join(_zip_chunks(part))
            part, used = [], 0
        part.append(entry)
        used += size
    yield b"".join(_zip_chunks(part))


def conversation_to(session: EditSession, tip: Turn) -> dict[str, Any]:
    """The conversation from the upload to `tip`: LLaVA's keys, plus `id`, `image` and `results` in order."""
    path = session.path_to(tip)
    talk = template(TEMPLATE)
    user, assistant = talk.roles
    for number, turn in enumerate(path[1:]):
        talk.append_message(user, f"{IMAGE_TOKEN}\n{turn.instruction}" if number == 0 else turn.instruction)
        talk.append_message(assistant, turn.expressive or None)
    results = [_name(turn) for turn in path[1:] if turn.image]
    return {"id": f"{session.id}-{tip.label}", "image": _name(path[0]), "results": results, **talk.dict()}


def _entries(
    user: str, stored: Mapping[str, Any], sessions: Iterable[EditSession], images: ImageStore
) -> Iterator[ExportFile]:
    yield _file("person.json", _json(stored))
    for session in sessions:
        tips = [turn for turn in session.turns.values() if _is_tip(session, turn, user)]
        if not tips:
            continue
        talks = [conversation_to(session, tip) for tip in tips]
        yield _file(f"{session.id}/conversation.json", _json(talks))
        shown = {turn.id: turn for tip in tips for turn in session.path_to(tip) if turn.image}
        for turn in shown.values():
            for name, key in ((_name(turn), turn.image), (f"{turn.label}-mask.png", turn.mask)):
                if key and (entry := _entry_of(f"{session.id}/{name}", images, key)):
                    yield entry
        if film := _animation(images, session.path_to(tips[-1])):
            yield _file(f"{session.id}/story.webp", film)


def _entry_of(name: str, images: ImageStore, key: str) -> ExportFile | None:
    """A picture; None when it is no longer stored, or damaged."""
    try:
        if images.is_packed(key):
            return _file(name, images.get(key))
    except PictureMissing:
        return None
    return ExportFile(name, images.size(key), _chunks_of(images.path(key)))


def _is_tip(session: EditSession, turn: Turn, user: str) -> bool:
    """Whether this is the user's version with an image, and they made no further version from it."""
    if turn.user != user or turn.image is None or turn.grid is not None:
        return False
    return not any(child.user == user and child.image for child in session.children_of(turn))


def _animation(images: ImageStore, path: Iterable[Turn]) -> bytes | None:
    shown = [turn for turn in path if turn.image and images.size(turn.image)]
    return animation(_frames(images, shown[-MAX_FRAMES:])) if len(shown) > 1 else None


def _frames(images: ImageStore, turns: Iterable[Turn]) -> Iterator[AnimationFrame]:
    for turn in turns:
        if (data := _picture(images, turn)) is not None:
            yield AnimationFrame(data, f"{turn.label}  {turn.instruction}".strip())


def _picture(images: ImageStore, turn: Turn) -> bytes | None:
    try:
        return images.get(turn.image or "")
    except PictureMissing:
        return None


def _name(turn: Turn) -> str:
    return f"{turn.label}.png"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _file(name: str, data: bytes) -> ExportFile:
    return ExportFile(name, len(data), [data])


def _chunks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file; none if it was deleted meanwhile."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except FileNotFoundError:
        return


class _Outgoing:
    """What a zip was written to; it can only be appended to, and is taken away in chunks."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What came since the last call."""
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken


def _zip_chunks(entries: Iterable[ExportFile]) -> Iterator[bytes]:
    out = _Outgoing()
    # Stored, not deflated: images are compressed already, and so the size of a part is known before.
    with zipfile.ZipFile(cast(IO[bytes], out), "w") as archive:
        for entry in entries:
            with archive.open(entry.name, "w") as file:
                for chunk in entry.chunks:
                    file.write(chunk)
                    yield out.take()
    yield out.take()
