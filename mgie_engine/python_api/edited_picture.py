"""The result of an edit as callers have it, and files of it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from conversations.atomic_write import write_atomically
from conversations.images.encoding import encoded
from conversations.messages import Message
from conversations.settings import EditSettings
from mgie_engine.edits import EditResult
from mgie_engine.errors import EditDeclined, RequestRefused

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 95  # of JPEG and WebP, 1 to 100
NOTES = {  # in words, by code
    "note_as_written": "used your words as written",
    "note_nothing_changed": "nothing changed",
    "note_whole_picture": "you named a part of the picture, but all of it changed",
    "note_outside_region": "nothing changed: the edit fell outside of the mask",
    "note_main_picture": "the file holds several pictures; the main one was used",
    "note_first_frame": "the file is an animation; its first frame was used",
    "note_later_frame": "the file is an animation that starts with an empty frame; a later one was used",
    "note_hdr": "the picture is HDR and was converted to ordinary brightness; colours may look different",
    "note_colours": "the file's colour information could not be used; colours may look different",
    "note_reduced": "the picture has too many pixels and was reduced",
    "note_8_bits": "the picture has more than 8 bits per colour; 8 were used",
}


@dataclass(frozen=True, slots=True)
class EditedPicture:
    """An edited picture, and how it was made."""

    png: bytes  # the picture as a PNG file
    instruction: str
    expressive: str  # what the model understood, in its own words
    settings: EditSettings  # as used, with the seed
    model: str
    size: tuple[int, int]  # width, height in pixels
    seconds: dict[str, float]  # wall seconds by stage
    changed: float | None  # share of pixels that differ from the input, 0 to 1
    codes: tuple[str, ...]  # of the notes
    level: str  # how exactly it was computed: "exact", "same" or "fast"
    confidence: float | None = None  # how sure the model was of what it understood, 0 to 1
    doubt: str | None = None  # "unsure": below the model's bound; "whole": see the notes
    is_exact: bool = False  # an adjustment by its definition: seed, steps and sampler had no part in it

    @property
    def image(self) -> Image.Image:
        """The picture, RGB or RGBA; decoded on every call."""
        return Image.open(io.BytesIO(self.png))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about this edit, in English."""
        return tuple(NOTES.get(code, code) for code in self.codes)

    def encoded(self, suffix: str) -> bytes:
        """The picture as a file of that suffix: .png (exact), .jpg, .jpeg or .webp (quality 95).

        RequestRefused for any other.
        """
        return picture_file(self.png, suffix)

    def save(self, path: str | Path) -> Path:
        """Write the picture, in the format that the suffix names; an existing file is replaced."""
        path = Path(path)
        write_atomically(path, self.encoded(path.suffix))
        return path


def picture_file(png: bytes, suffix: str) -> bytes:
    """The picture of a PNG as a file of that suffix; RequestRefused for one that is not in FORMATS."""
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        known = ", ".join(FORMATS)
        raise RequestRefused(f"A picture is written as {known}, not as {suffix or 'a name without one'}.")
    return png if kind == "PNG" else encoded(Image.open(io.BytesIO(png)), kind, QUALITY)


def edited_picture(result: EditResult, instruction: str, notes: Sequence[Message] = ()) -> EditedPicture:
    """The result of the engine for callers; `notes` of reading the picture. EditDeclined if it declined."""
    if result.is_declined:
        raise EditDeclined(result.model, result.expressive)
    return EditedPicture(
        png=result.image,
        instruction=instruction,
        expressive=result.expressive,
        settings=result.settings,
        model=result.model,
        size=result.size,
        seconds=result.seconds,
        changed=result.changed,
        codes=tuple(note.code for note in (*notes, *result.notes)),
        level=result.level,
        confidence=result.confidence,
        doubt=result.doubt,
        is_exact=result.is_exact,
    )
