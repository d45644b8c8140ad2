"""Everything a user made, as zip files: images as stored, conversations in LLaVA's message format.

    person.json                    what the database holds about the user
    <session>/conversation.json    one conversation per branch, each readable by Conversation.from_dict
    <session>/v0.png, v1.png …     the versions of those branches, byte for byte
    <session>/story.webp           an animation of the newest branch

Blocks: call it on a thread. Holds one image in memory at a time, and those of one animation.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.animation import AnimationFrame, animation
from conversations.errors import PictureMissing
from conversations.images.image_store import ImageStore
from conversations.llava.conversation import IMAGE_TOKEN
from conversations.llava.templates import template
from conversations.session import EditSession, Turn

TEMPLATE = "vicuna_v1_1"
OVERHEAD = 512  # bytes that a zip adds per file, at most
MAX_FRAMES = 40  # of an animation


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of the export."""

    name: str
    data: bytes


def write_export(
    user: str,
    stored: Mapping[str, Any],
    sessions: Iterable[EditSession],
    images: ImageStore,
    folder: Path,
    max_bytes: int | None = None,
) -> tuple[Path, ...]:
    """Write the user's export into `folder` as one zip, or several of at most `max_bytes` each.

    `stored` comes from SessionStore.export_user; `sessions` are those the user has turns in. An image larger
    than `max_bytes` gets a zip of its own. Images that are no longer stored are left out.
    """
    return _pack(_entries(user, stored, sessions, images), folder, max_bytes)


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
    yield ExportFile("person.json", _json(stored))
    for session in sessions:
        tips = [turn for turn in session.turns.values() if _is_tip(session, turn, user)]
        if not tips:
            continue
        talks = [conversation_to(session, tip) for tip in tips]
        yield ExportFile(f"{session.id}/conversation.json", _json(talks))
        shown = {turn.id: turn for tip in tips for turn in session.path_to(tip) if turn.image}
        for turn in shown.values():
            if (data := _picture(images, turn)) is not None:
                yield ExportFile(f"{session.id}/{_name(turn)}", data)
        if film := _animation(images, session.path_to(tips[-1])):
            yield ExportFile(f"{session.id}/story.webp", film)


def _is_tip(session: EditSession, turn: Turn, user: str) -> bool:
    """Whether this is the user's version with an image, and they made no further version from it."""
    if turn.user != user or turn.image is None or turn.grid is not None:
        return False
    return not any(child.user == user and child.image for child in session.children_of(turn))


def _animation(images: ImageStore, path: Iterable[Turn]) -> bytes | None:
    frames = []
    for turn in path:
        if turn.image and (data := _picture(images, turn)) is not None:
            frames.append(AnimationFrame(data, f"{turn.label}  {turn.instruction}".strip()))
    return animation(frames[-MAX_FRAMES:]) if len(frames) > 1 else None


def _picture(images: ImageStore, turn: Turn) -> bytes | None:
    try:
        return images.get(turn.image or "")
    except PictureMissing:
        return None


def _name(turn: Turn) -> str:
    return f"{turn.label}.png"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _pack(entries: Iterable[ExportFile], folder: Path, max_bytes: int | None) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    archive: zipfile.ZipFile | None = None
    used = 0
    for entry in entries:
        size = len(entry.data) + OVERHEAD + 4 * len(entry.name)
        if archive is None or (max_bytes is not None and used + size > max_bytes):
            if archive is not None:
                archive.close()
            paths.append(folder / f"mgie-{len(paths) + 1}.zip")
            archive, used = zipfile.ZipFile(paths[-1], "w"), 0
        # Stored, not deflated: images are compressed already, and so `used` is exact.
        archive.writestr(entry.name, entry.data)
        used += size
    if archive is not None:
        archive.close()
    return tuple(paths)
