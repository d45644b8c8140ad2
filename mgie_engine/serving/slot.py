"""One edit on its way through the engine, and the seam to the networks that do the work."""

from collections.abc import Generator, Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from conversations.settings import SettingsOverride, checked
from mgie_engine.config import ModelConfig
from mgie_engine.edits import EditRequest, EditResult, Progress, Stage
from mgie_engine.model.mgie import Denoised, NoisyBatch, Reading
from mgie_engine.restore import said_tones
from mgie_engine.serving.denoising import Painting
from mgie_engine.serving.fast_path import Encoded, FastPath
from mgie_engine.serving.framing import Framing, view
from mgie_engine.serving.masks import open_mask
from mgie_engine.serving.pictures import open_picture
from mgie_engine.serving.postprocess import Autoencoder, Delivered, Opened
from mgie_engine.serving.reading_doubt import ReadingDoubt
from mgie_engine.serving.slot_painting import SlotPainting
from mgie_engine.text.prompting import Prompt

TOGETHER_S = 0.1  # how long a newcomer waits for others whose pictures are still being opened
Reader = Generator[None, None, Reading]


class EditModel(Autoencoder, Protocol):
    """The seam in front of the networks; `MGIE` in production, a small reckoning in tests."""

    @property
    def device(self) -> torch.device: ...

    def reading(self, picture: Image.Image, prompt: Prompt) -> Reader:
        """Read one request, pausing after every token; the generator returns the reading."""
        ...

    def denoise(self, batch: NoisyBatch) -> Denoised: ...

    def preview(self, x0: Tensor) -> Image.Image: ...


@dataclass(eq=False, slots=True)
class Slot:
    """One edit on its way through the engine. What it does now is the last of its parts that is there."""

    key: int
    request: EditRequest
    entered_at: float  # when its stage began
    opening: Future[Opened]
    stage: Stage = Stage.READING
    seconds: dict[str, float] = field(default_factory=dict)
    reader: Reader | None = None
    reading: Reading | None = None
    doubt: ReadingDoubt | None = None  # about the reading
    painting: Painting | SlotPainting | None = None
    finishing: Future[Delivered] | None = None
    encoding: Future[Encoded] | None = None  # above the level exact
    preview: Future[bytes] | None = None  # being made beside the loop

    @property
    def prompt(self) -> Prompt:
        """What is read."""
        asked = self.request
        return Prompt(asked.instruction, asked.history, asked.reading, asked.settings.ask == "on")

    @property
    def is_exact(self) -> bool:
        """Whether the reading says exactly what changes, so that nothing needs to be painted."""
        settings = self.request.settings
        return bool(self.reading and said_tones(self.reading.expressive, settings.degree, settings.keep))

    @property
    def opened(self) -> Opened:
        """The picture, with the part that its reading names."""
        opened = self.opening.result()
        return opened.read(self.reading.expressive) if self.reading else opened

    def enter(self, stage: Stage, now: float) -> None:
        """Go on to another stage and book the seconds of the one that ends."""
        self.book(now)
        self.stage, self.entered_at = stage, now

    def skip_painting(self, now: float) -> None:
        """Go on from reading to finishing; painting is booked with 0 seconds."""
        if self.encoding:
            self.encoding.cancel()
        self.enter(Stage.PAINTING, now)
        self.enter(Stage.FINISHING, now)

    def book(self, now: float) -> None:
        """Note how long the stage took."""
        self.seconds[self.stage.value] = round(now - self.entered_at, 4)

    def progress(self, preview: bytes | None = None) -> Progress:
        """How far the edit is."""
        step = self.painting.step if self.painting else 0
        expressive = self.reading.expressive if self.reading else None
        steps = 0 if self.is_exact else self.request.settings.steps
        return Progress(self.stage, step, steps, expressive, preview, self.is_exact)

    def result(self, delivered: Delivered, model: str, level: str) -> EditResult:
        """What the edit ends with, after its reading; `model`: its name."""
        assert self.reading is not None
        doubt = self.doubt
        return EditResult(
            image=delivered.png,
            expressive=self.reading.expressive,
            settings=self.request.settings,
            model=model,
            size=delivered.size,
            seconds=self.seconds,
            changed=delivered.changed,
            notes=(*self.reading.notes, *(doubt.notes if doubt else ()), *delivered.notes),
            is_exact=delivered.is_exact,
            level=level,
            confidence=self.reading.confidence,
            doubt=doubt.kind if doubt else None,
            region=doubt.region if doubt else None,
        )

    def give_up(self) -> None:
        """Let go of what an edit that leaves still holds: its threads' work, its row, its slot."""
        for future in (self.opening, self.encoding, self.preview, self.finishing):
            if future:
                future.cancel()
        if self.reader:
            self.reader.close()
        if isinstance(self.painting, SlotPainting):
            self.painting.release()


def known_reading(request: EditRequest) -> Reader | None:
    """The reader of an edit whose reading is given and exact: no network has to follow it. Else None."""
    given, settings = request.reading, request.settings
    if given is None or not said_tones(given, settings.degree, settings.keep):
        return None
    return _as_given(given.strip())


def _as_given(expressive: str) -> Reader:
    yield from ()
    return Reading(expressive, expressive, torch.empty(0))  # nothing is painted, so nothing guides it


def still_opening(slots: Iterable[Slot], now: float) -> bool:
    """Whether pictures of edits that came a moment ago are still being opened.

    Who came at once with them waits, so that all of them read, and later paint, at one pace.
    """
    opening = [slot for slot in slots if slot.reader is None and not slot.opening.done()]
    return any(now - slot.entered_at < TOGETHER_S for slot in opening)


def open_request(
    request: EditRequest, config: ModelConfig, framing: Framing, fast: FastPath | None
) -> Opened:
    """Check the settings, open the picture and its mask, for a thread. RequestRefused, SettingsRefused."""
    checked(SettingsOverride(**asdict(request.settings)))
    original = open_picture(request.image)
    region = None if request.mask is None else open_mask(request.mask, original.size)
    shown = view(original, config, framing)
    pixels = fast.see(shown.shown) if fast else None
    return Opened(original, shown, config.picture_size, pixels, region)
