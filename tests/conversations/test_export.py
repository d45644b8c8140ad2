"""What a person takes home: pictures to the byte, talks LLaVA can read, a story to watch."""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from conversations.animation import AnimationFrame, animation
from conversations.export import CHUNK, conversation_to, export_chunks, export_parts
from conversations.images.image_store import ImageStore
from conversations.images.normalise import to_png
from conversations.images.packed_pictures import packed
from conversations.llava.conversation import Conversation
from conversations.session import EditSession
from conversations.turn import TurnState
from tests.support.session_story import Story


def png(colour: str, size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def edited_session(images: ImageStore) -> EditSession:
    """v1 by ann, v2 from it, v3 a branch of ann's from v1, v4 bob's from v2; real pictures."""
    story = Story("ann")
    story.edit("ann", "make it red")
    story.edit("ann", "now with ünïcode 雪")
    story.edit("ann", "or blue", parent=1)
    story.edit("bob", "bigger", parent=2)
    colours = ("black", "red", "green", "blue", "white")
    for turn in story.session.turns.values():
        story._update(replace(turn, image=images.put(png(colours[turn.number])), state=TurnState.DONE))
    return story.session


def files(zipped: Iterable[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_holds_the_png_of_a_packed_picture_and_leaves_out_a_damaged_one(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    session = edited_session(images)
    green = to_png(Image.effect_mandelbrot((640, 480), (-2, -2, 2, 2), 9).convert("RGB"))
    _, first, second, *_ = session.turns.values()
    session = session.update(replace(second, image=images.put(green)))
    small = packed(green)
    assert small is not None
    images.replace(images.put(green), small)
    images.replace(first.image or "", small[:100])
    found = files(export_chunks("ann", {"person": "ann"}, [session], images))
    assert found["s/v2.png"] == green
    assert "s/v1.png" not in found


def test_an_export_holds_the_own_branches_and_what_they_came_from(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    session = edited_session(images)
    found = files(export_chunks("ann", {"person": "ann"}, [session], images))
    assert set(found) == {
        "person.json",
        "s/conversation.json",
        "s/v0.png",
        "s/v1.png",
        "s/v2.png",
        "s/v3.png",
        "s/story.webp",
    }
    assert found["s/v2.png"] == png("green")
    assert [talk["id"] for talk in json.loads(found["s/conversation.json"])] == ["s-v2", "s-v3"]


def test_a_conversation_reads_back_as_a_llava_conversation(tmp_path: Path) -> None:
    session = edited_session(ImageStore(tmp_path))
    talk = conversation_to(session, session.version(2))
    read = Conversation.from_dict(json.loads(json.dumps(talk)))
    assert read.messages == [
        ["USER", "<image>\nmake it red"],
        ["ASSISTANT", "make it red, understood"],
        ["USER", "now with ünïcode 雪"],
        ["ASSISTANT", "now with ünïcode 雪, understood"],
    ]
    assert (talk["image"], talk["results"]) == ("v0.png", ["v1.png", "v2.png"])
    assert read.get_prompt().endswith("understood</s>")


def test_a_large_export_comes_in_parts_that_each_fit(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    session = edited_session(images)
    parts = list(export_parts("ann", {}, [session], images, max_bytes=6000))
    assert len(parts) > 1
    assert all(len(part) <= 6000 for part in parts)
    names = [name for part in parts for name in files([part])]
    assert len(names) == len(set(names)) == 7


def test_a_picture_no_longer_stored_is_left_out(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    session = edited_session(images)
    images.delete(session.version(1).image or "")
    assert "s/v1.png" not in files(export_chunks("ann", {}, [session], images))


def test_pictures_deleted_while_an_export_is_taken_are_left_out_and_the_zip_is_whole(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    session = edited_session(images)
    steps = export_chunks("ann", {}, [session], images)
    taken = [next(steps)]
    for turn in session.turns.values():
        images.delete(turn.image or "")
    assert set(files([*taken, *steps])) == {"person.json", "s/conversation.json"}


def test_large_pictures_are_exported_piece_by_piece(tmp_path: Path) -> None:
    images = ImageStore(tmp_path / "images")
    story = Story("ann")
    large = bytes(10 * CHUNK)
    story._update(replace(story.session.root, image=images.put(large)))
    chunks = list(export_chunks("ann", {}, [story.session], images))
    assert max(map(len, chunks)) < 1.1 * CHUNK
    assert files(chunks)["s/v0.png"] == large


def test_an_animation_has_one_frame_per_version_of_one_size() -> None:
    film = animation(
        [AnimationFrame(png("red"), "v0"), AnimationFrame(png("blue", (30, 90)), "v1 " + "long words " * 50)]
    )
    with Image.open(io.BytesIO(film)) as opened:
        assert (getattr(opened, "n_frames", 1), opened.size) == (2, (64, 48 + 44))


def test_an_animation_needs_a_version() -> None:
    with pytest.raises(ValueError, match="at least one version"):
        animation([])
