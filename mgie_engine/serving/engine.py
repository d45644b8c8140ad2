"""The loop over slots: each edit reads, paints one denoising step at a time, and is finished, side by side.

Single-threaded where the model is concerned; opening, restoring and encoding pictures happens on two threads
beside it. Which edits share a step changes nothing in any of them beyond rounding.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from math import prod
from typing import Any, Self

import torch
from torch import Tensor

from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import SettingsOverride, checked
from mgie_engine.edits import EditRequest, EditResult, Progress, Report, Stage
from mgie_engine.errors import EngineError, RequestRefused
from mgie_engine.model.mgie import Reading
from mgie_engine.serving.denoising import Painting, batch
from mgie_engine.serving.pictures import for_the_model, open_picture, to_preview
from mgie_engine.serving.postprocess import Delivered, Painted, finish, with_probe
from mgie_engine.serving.scheduler import next_loop_step, preview_steps
from mgie_engine.serving.slot import EditModel, Opened, Slot
from mgie_engine.text.prompting import Prompt

PREVIEW_SHARES = (0.35, 0.7)  # of the way; before the first third there is little to see
LOOK_AROUND_S = 0.05  # how long the loop waits for its threads when it has nothing else to do
LARGE = 2048  # width of a language model from which on a model's step is a matter of minutes on a CPU
QUICK_PIXELS = 2**20  # a picture up to this size is restored in the time of a denoising step or two

Event = tuple[int, Progress | EditResult | EngineError]

_log = logging.getLogger(__name__)


class Engine:
    """Edits in, events out: `admit` and `cancel` at any time between two calls of `step`."""

    def __init__(
        self,
        model: EditModel,
        preview_shares: Sequence[float] = PREVIEW_SHARES,
        clock: Callable[[], float] = time.monotonic,
        slots: int | None = None,
    ) -> None:
        """`slots`: how many edits at once suit this model; None: as the device allows."""
        self.model = model
        self._slots_wished = slots
        self._preview_shares = preview_shares
        self._clock = clock
        self._slots: dict[int, Slot] = {}  # the oldest first
        self._events: list[Event] = []
        self._step_s = 0.0  # of the last denoising step
        torch.get_num_threads()  # settles the caller's share before the threads below settle theirs
        # One core each: helpers of these threads would fall asleep between the many small steps of restoring.
        self._threads = ThreadPoolExecutor(2, "pictures", torch.set_num_threads, (1,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def suitable_slots(self) -> int:
        """Edits at once: on a CPU more of them only share what one would have; a GPU has room to spare."""
        return self._slots_wished or (2 if self.model.device.type == "cpu" else 8)

    @property
    def silence_s(self) -> float:
        """How long a healthy engine may be silent: a step of a large model on a CPU takes minutes."""
        is_slow = self.model.device.type == "cpu" and self.model.config.language.hidden_size >= LARGE
        return 3600.0 if is_slow else 120.0

    @property
    def under_way(self) -> int:
        """How many edits are taken in and not over."""
        return len(self._slots)

    @property
    def busy(self) -> bool:
        """Whether any edit is under way."""
        return bool(self._slots)

    def admit(self, key: int, request: EditRequest) -> None:
        """Take in an edit; its events carry `key`."""
        opening = self._threads.submit(_open, request, self.model.config.picture_size)
        slot = self._slots[key] = Slot(key, request, self._clock(), opening)
        self._say(slot, slot.progress())

    def cancel(self, key: int) -> None:
        """Drop an edit wherever it is; it has no further events."""
        if slot := self._slots.pop(key, None):
            slot.opening.cancel()
            if slot.finishing:
                slot.finishing.cancel()
        self._events = [event for event in self._events if event[0] != key]

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """Everybody a little further; what happened since the last call, in order."""
        self._start_readers()
        reading = [slot.key for slot in self._slots.values() if slot.reader and not slot.painting]
        painting = [slot.key for slot in self._slots.values() if slot.painting and not slot.finishing]
        turn = next_loop_step(reading, painting, self._step_s)
        if turn.read is not None:
            self._read(self._slots[turn.read], turn.read_for_s)
        if turn.paint:
            self._paint([self._slots[key] for key in turn.paint])
        self._deliver()
        if not (self._events or reading or painting):
            self._wait_for_threads()
        events, self._events = self._events, []
        return events

    def _start_readers(self) -> None:
        for slot in list(self._slots.values()):
            if slot.reader is None and slot.opening.done():
                with self._blame(slot):
                    square = slot.opening.result().square
                    asked = slot.request
                    prompt = Prompt(asked.instruction, asked.history, asked.reading)
                    slot.reader = self.model.reading(square, prompt)

    def _read(self, slot: Slot, for_s: float) -> None:
        assert slot.reader is not None
        until = self._clock() + for_s
        with self._blame(slot):
            try:
                next(slot.reader)
                while self._clock() < until:
                    next(slot.reader)
            except StopIteration as end:
                slot.reading = end.value
                if changes_nothing(end.value.expressive, self.model.config.refusal):
                    self._leave(
                        slot, self._result(slot, untouched(slot.request.image, slot.opening.result()))
                    )
                else:
                    self._start_painting(slot, end.value)

    def _start_painting(self, slot: Slot, reading: Reading) -> None:
        square = slot.opening.result().square
        noise = self.model.config.noise
        (image_latents,) = self.model.encode([square])
        slot.painting = Painting(noise, slot.request.settings, reading.guidance, image_latents)
        slot.enter(Stage.PAINTING, self._clock())
        self._say(slot, slot.progress())

    def _paint(self, slots: Sequence[Slot]) -> None:
        began = self._clock()
        for slot, x0, relevance in self._denoised(slots):
            with self._blame(slot):
                assert slot.painting is not None
                slot.painting.advance(x0, relevance)
                self._say(slot, slot.progress(self._preview(slot.painting)))
                if slot.painting.is_over:
                    self._start_finishing(slot, slot.painting)
        self._step_s = self._clock() - began

    def _denoised(self, slots: Sequence[Slot]) -> Iterator[tuple[Slot, Tensor, Tensor]]:
        """Each slot with its x0 (C, h, w) and relevance (h, w); a slot that cannot be painted leaves."""
        paintings = [slot.painting for slot in slots if slot.painting]
        try:
            denoised = self.model.denoise(*batch(paintings))
        except Exception as error:
            if _is_fatal(error):
                raise
        else:
            yield from zip(slots, denoised.x0, denoised.relevance, strict=True)
            return
        # Memory may suffice for one by one, now that the error no longer holds what the many had taken, and
        # if one is at fault only that one shall fail.
        for slot, painting in zip(slots, paintings, strict=True):
            with self._blame(slot):
                alone = self.model.denoise(*batch([painting]))
                yield slot, alone.x0[0], alone.relevance[0]

    def _preview(self, painting: Painting) -> bytes | None:
        if painting.x0 is None or painting.step not in preview_steps(
            painting.settings.steps, self._preview_shares
        ):
            return None
        return to_preview(self.model.preview(painting.x0))

    def _start_finishing(self, slot: Slot, painting: Painting) -> None:
        slot.enter(Stage.FINISHING, self._clock())
        self._say(slot, slot.progress())
        if not bool(torch.isfinite(painting.latents).all()):
            raise EngineError("the latents are not finite", Message("broke_up"))
        opened = slot.opening.result()
        seen = painting.image_latents * self.model.config.latent_scale
        output, reconstruction = self.model.decode(torch.stack([painting.latents, seen]))
        relevance = None if painting.relevance is None else painting.relevance.float().cpu().numpy()
        painted = Painted(
            opened.original, opened.square, reconstruction, output, relevance, self.model.config.name
        )
        work = with_probe(self.model, painted), slot.request.settings
        if self.under_way == 1 and prod(painted.original.size) <= QUICK_PIXELS:
            slot.finishing = Future()  # nobody waits for this thread, and it has all cores
            slot.finishing.set_result(finish(*work))
        else:
            slot.finishing = self._threads.submit(finish, *work)

    def _deliver(self) -> None:
        for slot in list(self._slots.values()):
            if slot.finishing and slot.finishing.done():
                with self._blame(slot):
                    self._leave(slot, self._result(slot, slot.finishing.result()))

    def _result(self, slot: Slot, delivered: Delivered) -> EditResult:
        assert slot.reading is not None
        slot.book(self._clock())
        return EditResult(
            image=delivered.png,
            expressive=slot.reading.expressive,
            settings=slot.request.settings,
            model=self.model.config.name,
            size=delivered.size,
            seconds=slot.seconds,
            changed=delivered.changed,
            notes=(*slot.reading.notes, *delivered.notes),
        )

    def _wait_for_threads(self) -> None:
        waited: list[Future[Any]] = [slot.finishing or slot.opening for slot in self._slots.values()]
        wait(waited, timeout=LOOK_AROUND_S, return_when=FIRST_COMPLETED)

    def _say(self, slot: Slot, news: Progress | EditResult | EngineError) -> None:
        self._events.append((slot.key, news))

    def _leave(self, slot: Slot, news: EditResult | EngineError) -> None:
        self._slots.pop(slot.key, None)
        self._say(slot, news)

    @contextmanager
    def _blame(self, slot: Slot) -> Iterator[None]:
        """Whatever goes wrong inside ends this edit and no other."""
        try:
            yield
        except Exception as error:
            if _is_fatal(error):
                raise
            self._leave(slot, _as_engine_error(error))


def edit_alone(model: EditModel, request: EditRequest, report: Report) -> EditResult:
    """Make one edit and return it; raises the EngineError it ended with."""
    with Engine(model) as engine:
        engine.admit(0, request)
        while True:
            for _, news in engine.step():
                match news:
                    case EditResult():
                        return news
                    case EngineError():
                        raise news
                    case _:
                        report(news)


def _open(request: EditRequest, side: int) -> Opened:
    checked(SettingsOverride(**asdict(request.settings)))
    original = open_picture(request.image)
    return Opened(original, for_the_model(original, side))


def changes_nothing(expressive: str, refusal: str) -> bool:
    """Whether a reading says that nothing will change; never for a model that was not taught to say so."""
    return bool(refusal) and expressive.startswith(refusal)


def untouched(image: bytes, opened: Opened) -> Delivered:
    """The picture as it was sent, to the byte: what a reading that changes nothing leads to."""
    return Delivered(image, opened.original.size, 0.0, ())


def _is_fatal(error: Exception) -> bool:
    """Whether the device's state is lost with it, so that only a new process helps."""
    return isinstance(error, torch.AcceleratorError)


def _as_engine_error(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    if isinstance(error, SettingsRefused):
        return RequestRefused(str(error), error.message)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(error):
        return RequestRefused("there was not enough memory for this edit", Message("no_memory"))
    _log.error("An edit failed.", exc_info=error)
    return EngineError(f"The edit failed unexpectedly: {type(error).__name__}: {error}")
