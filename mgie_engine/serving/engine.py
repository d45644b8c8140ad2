"""The loop over slots: each edit reads, paints one denoising step at a time, and is finished, side by side.

Single-threaded where the model is concerned; pictures are opened, restored and encoded on threads beside it.
What is exact by its reading is not painted. Sharing a step changes nothing beyond rounding. Above the level
exact a `FastPath` does the model's work.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from math import prod
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from mgie_engine.edits import EditRequest, EditResult, Progress, Report, Stage
from mgie_engine.errors import EngineError
from mgie_engine.model.finite import require_finite
from mgie_engine.model.mgie import Reading
from mgie_engine.restore.strips import prepare_thread
from mgie_engine.serving.denoising import Painting, alike, batch
from mgie_engine.serving.edit_errors import as_engine_error, is_fatal
from mgie_engine.serving.fast_path import FastPath
from mgie_engine.serving.framing import Framing
from mgie_engine.serving.pictures import to_preview
from mgie_engine.serving.postprocess import Delivered, Painted, changes_nothing, finish, untouched, with_probe
from mgie_engine.serving.reading_doubt import doubt_about
from mgie_engine.serving.scheduler import next_loop_step, preview_steps
from mgie_engine.serving.slot import EditModel, Reader, Slot, known_reading, open_request, still_opening
from mgie_engine.serving.slot_painting import SlotPainting

PREVIEW_SHARES = (0.35, 0.7)  # of the way; before the first third there is little to see
LOOK_AROUND_S = 0.05  # how long the loop waits for its threads when it has nothing else to do
LARGE = 2048  # width of a language model from which on a model's step is a matter of minutes on a CPU
MOST_THREADS = 8  # beside the loop of a GPU; a picture takes a tenth of a second to a second of one
QUICK_PIXELS = 2**20  # a picture up to this size is restored in the time of a denoising step or two

Event = tuple[int, Progress | EditResult | EngineError]
PaintingT = TypeVar("PaintingT", Painting, SlotPainting)
T = TypeVar("T")


class Engine:
    """Edits in, events out: `admit` and `cancel` at any time between two calls of `step`."""

    def __init__(
        self,
        model: EditModel,
        preview_shares: Sequence[float] = PREVIEW_SHARES,
        clock: Callable[[], float] = time.monotonic,
        slots: int | None = None,
        fast: FastPath | None = None,
        level: str = "exact",
        framing: Framing = Framing.SQUEEZE,
    ) -> None:
        """`slots`: edits at once; None: as the device allows. `fast`: for a `level` above exact."""
        self.model, self._framing = model, framing
        self.level = level
        self._fast = fast
        self._slots_requested = slots or (fast.plan.slots if fast else None)
        self._preview_shares = preview_shares
        self._clock = clock
        self._slots: dict[int, Slot] = {}  # the oldest first
        self._events: list[Event] = []
        self._step_s = 0.0  # of the last denoising step
        cores = torch.get_num_threads()  # settles the caller's share before the threads below settle theirs
        # One core each: helpers of these threads would fall asleep between the many small steps of restoring.
        threads = max(2, min(MOST_THREADS, os.cpu_count() or 2)) if fast else 2
        self._threads = ThreadPoolExecutor(threads, "pictures", prepare_thread, (cores,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def suitable_slots(self) -> int:
        """Edits at once: on a CPU more of them only share what one would have; a GPU has room to spare."""
        return self._slots_requested or (2 if self.model.device.type == "cpu" else 8)

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
        opening = self._threads.submit(open_request, request, self.model.config, self._framing, self._fast)
        slot = self._slots[key] = Slot(key, request, self._clock(), opening)
        self._say(slot, slot.progress())

    def cancel(self, key: int) -> None:
        """Drop an edit wherever it is; it has no further events."""
        if slot := self._slots.pop(key, None):
            slot.give_up()
        self._events = [event for event in self._events if event[0] != key]

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """Everybody a little further; what happened since the last call, in order."""
        self._start_readers()
        reading = [slot.key for slot in self._slots.values() if slot.reader and not slot.reading]
        painting = [slot.key for slot in self._slots.values() if slot.painting and not slot.finishing]
        rows, may_overlap = (self._fast.plan.rows, self._fast.overlaps) if self._fast else (1, False)
        turn = next_loop_step(reading, painting, self._step_s, rows, may_overlap)
        if turn.read:
            if self._fast and not turn.overlap:
                self._fast.painting.wait()  # else the time of the step before would be taken for theirs
            self._read([self._slots[key] for key in turn.read], turn.read_for_s)
        self._start_painters()
        if turn.paint and not (turn.overlap and self._fast and self._fast.painting.is_ahead):
            self._paint([self._slots[key] for key in turn.paint])
        self._deliver()
        if not (self._events or reading or painting):
            self._wait_for_threads()
        events, self._events = self._events, []
        return events

    def _start_readers(self) -> None:
        if self._fast and still_opening(self._slots.values(), self._clock()):
            return
        for slot in list(self._slots.values()):
            if slot.reader is None and slot.opening.done():
                with self._blame(slot):
                    slot.reader = known_reading(slot.request) or self._reader(slot)

    def _reader(self, slot: Slot) -> Reader:
        square, pixels = slot.opened.view.shown, slot.opened.pixels
        if self._fast is None or pixels is None:
            return self.model.reading(square, slot.prompt)
        slot.encoding = self._threads.submit(self._fast.encode, square, slot.request.settings)
        return self._fast.reading(square, pixels, slot.prompt)

    def _read(self, slots: Sequence[Slot], for_s: float) -> None:
        """A token of each in turn, until the time is up or all have read."""
        until = self._clock() + for_s
        with self._fast.reads() if self._fast else nullcontext():
            while slots:
                for slot in slots:
                    with self._blame(slot):
                        self._read_token(slot)
                slots = [slot for slot in slots if slot.key in self._slots and not slot.reading]
                if self._clock() >= until:
                    return

    def _read_token(self, slot: Slot) -> None:
        assert slot.reader is not None
        try:
            next(slot.reader)
        except StopIteration as end:
            slot.reading = end.value
            config, asked = self.model.config, slot.request
            if changes_nothing(end.value.expressive, config.refusal):
                self._leave(slot, replace(self._unpainted(slot), is_declined=True))
                return
            slot.doubt = doubt_about(end.value, asked, config)
            if slot.doubt and asked.settings.ask == "on":
                others = end.value.others
                self._leave(slot, replace(self._unpainted(slot), is_question=True, other_readings=others))
            elif slot.is_exact:
                slot.skip_painting(self._clock())
                self._say(slot, slot.progress())
                self._finish(slot, slot.opened.unpainted(config.name))
            elif self._fast:  # what it waits for now is a place among those who paint
                slot.enter(Stage.PAINTING, self._clock())
                self._say(slot, slot.progress())

    def _start_painters(self) -> None:
        for slot in list(self._slots.values()):
            has_place = self._fast is None or self._fast.painting.free
            if has_place and slot.reading and not (slot.painting or slot.finishing):
                with self._blame(slot):
                    self._start_painting(slot, slot.reading)

    def _start_painting(self, slot: Slot, reading: Reading) -> None:
        settings = slot.request.settings
        if self._fast and slot.encoding:
            slot.painting = self._fast.begin(settings, reading.guidance, slot.encoding.result())
            return
        (image_latents,) = self.model.encode([slot.opened.view.shown])
        slot.painting = Painting(self.model.config.noise, settings, reading.guidance, image_latents)
        slot.enter(Stage.PAINTING, self._clock())
        self._say(slot, slot.progress())

    def _paint(self, slots: Sequence[Slot]) -> None:
        if self._fast:
            self._launch(self._fast, slots)
            return
        began = self._clock()
        for slot, (painting, x0, relevance) in self._together(slots, Painting, self._denoised):
            with self._blame(slot):
                painting.advance(x0, relevance)
                self._say(slot, slot.progress(self._preview(painting)))
                if painting.is_over:
                    self._start_finishing(slot, painting)
        self._step_s = self._clock() - began

    def _launch(self, fast: FastPath, slots: Sequence[Slot]) -> None:
        """One step of each on the device; the loop goes on while it is made."""
        for slot, painting in self._together(slots, SlotPainting, fast.painting.advance):
            with self._blame(slot):
                self._say(slot, slot.progress())
                if self._is_previewed(painting):
                    slot.preview = self._threads.submit(fast.preview(painting))
                if painting.is_over:
                    opened, encoding = slot.opened, slot.encoding
                    assert encoding is not None
                    work = fast.finish(painting, opened, encoding.result())
                    painting.release()
                    slot.enter(Stage.FINISHING, self._clock())
                    self._say(slot, slot.progress())
                    slot.finishing = self._threads.submit(work)
        self._step_s = fast.painting.step_s

    def _together(
        self, slots: Sequence[Slot], kind: type[PaintingT], step: Callable[[Sequence[PaintingT]], Sequence[T]]
    ) -> Iterator[tuple[Slot, T]]:
        """Each slot with what a step makes of its painting; a slot that cannot be painted leaves."""
        paintings = [slot.painting for slot in slots if isinstance(slot.painting, kind)]
        try:
            found = step(paintings)
        except Exception as error:
            if is_fatal(error):
                raise
        else:
            yield from zip(slots, found, strict=True)
            return
        # Memory may suffice for one by one, now that the error no longer holds what the many had taken, and
        # if one is at fault only that one shall fail.
        for slot, painting in zip(slots, paintings, strict=True):
            with self._blame(slot):
                (alone,) = step([painting])
                yield slot, alone

    def _denoised(self, paintings: Sequence[Painting]) -> list[tuple[Painting, Tensor, Tensor]]:
        """Each with its x0 (C, h, w) and relevance (h, w)."""
        found: dict[Painting, tuple[Tensor, Tensor]] = {}
        for some in alike(paintings):
            denoised = self.model.denoise(batch(some))
            found |= zip(some, zip(denoised.x0, denoised.relevance, strict=True), strict=True)
        return [(painting, *found[painting]) for painting in paintings]

    def _is_previewed(self, painting: Painting | SlotPainting) -> bool:
        return painting.step in preview_steps(painting.settings.steps, self._preview_shares)

    def _preview(self, painting: Painting) -> bytes | None:
        if painting.x0 is None or not self._is_previewed(painting):
            return None
        return to_preview(self.model.preview(painting.x0))

    def _start_finishing(self, slot: Slot, painting: Painting) -> None:
        slot.enter(Stage.FINISHING, self._clock())
        self._say(slot, slot.progress())
        require_finite(painting.latents, "latents")
        seen = painting.image_latents * self.model.config.latent_scale
        output, reconstruction = self.model.decode(torch.stack([painting.latents, seen]))
        relevance = None if painting.relevance is None else painting.relevance.float().cpu().numpy()
        painted = slot.opened.painted(reconstruction, output, relevance, self.model.config.name)
        keep = slot.request.settings.keep
        self._finish(slot, painted if keep == "off" else with_probe(self.model, painted))

    def _finish(self, slot: Slot, painted: Painted) -> None:
        work = painted, slot.request.settings
        if self.under_way == 1 and prod(painted.original.size) <= QUICK_PIXELS:
            slot.finishing = Future()  # this thread is not waited for, and it has all cores
            slot.finishing.set_result(finish(*work))
        else:
            slot.finishing = self._threads.submit(finish, *work)

    def _deliver(self) -> None:
        for slot in list(self._slots.values()):
            if slot.preview and slot.preview.done():
                with self._blame(slot):
                    self._say(slot, slot.progress(slot.preview.result()))
                slot.preview = None
            if slot.finishing and slot.finishing.done():
                with self._blame(slot):
                    self._leave(slot, self._result(slot, slot.finishing.result()))

    def _unpainted(self, slot: Slot) -> EditResult:
        """The result of an edit that ends with its reading."""
        return self._result(slot, untouched(slot.request.image, slot.opening.result().original.size))

    def _result(self, slot: Slot, delivered: Delivered) -> EditResult:
        slot.book(self._clock())
        return slot.result(delivered, self.model.config.name, self.level)

    def _wait_for_threads(self) -> None:
        waited: list[Future[Any]] = [slot.finishing or slot.opening for slot in self._slots.values()]
        wait(waited, timeout=LOOK_AROUND_S, return_when=FIRST_COMPLETED)

    def _say(self, slot: Slot, news: Progress | EditResult | EngineError) -> None:
        self._events.append((slot.key, news))

    def _leave(self, slot: Slot, news: EditResult | EngineError) -> None:
        self._slots.pop(slot.key, None)
        slot.give_up()
        self._say(slot, news)

    @contextmanager
    def _blame(self, slot: Slot) -> Iterator[None]:
        """Whatever goes wrong inside ends this edit and no other."""
        try:
            yield
        except Exception as error:
            if is_fatal(error):
                raise
            self._leave(slot, as_engine_error(error))


def edit_alone(model: EditModel, request: EditRequest, report: Report) -> EditResult:
    """Make one edit at the level exact and return it; raises the EngineError it ended with."""
    with Engine(model) as engine:
        return edit_with(engine, request, report)


def edit_with(engine: Engine, request: EditRequest, report: Report) -> EditResult:
    """Make one edit with an engine that has nothing else to do; raises the EngineError it ended with.

    If `report` raises or the user interrupts, the edit is dropped and the engine can be used again.
    """
    engine.admit(0, request)
    try:
        while True:
            for _, news in engine.step():
                match news:
                    case EditResult():
                        return news
                    case EngineError():
                        raise news
                    case _:
                        report(news)
    finally:
        engine.cancel(0)
