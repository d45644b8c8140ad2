"""How an engine works at the levels `same` and `fast`: shared readings, captured steps, pictures beside both.

The loop's thread only launches. Opening, encoding, previews and finishing run on threads of their own and on
a stream of their own, one at a time.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.memory.graph_memory import SlotPlan
from mgie_engine.model.cuda_graphs import Graphs, Program
from mgie_engine.model.fused_unet import FusedUNet
from mgie_engine.model.fused_vae import PictureCoder
from mgie_engine.model.mgie import MGIE, Reading
from mgie_engine.model.shared_reading import SharedReader
from mgie_engine.model.static_decode import PREFILL_LENGTHS, StaticDecoder
from mgie_engine.preprocess import clip_pixels
from mgie_engine.serving.pictures import to_preview
from mgie_engine.serving.postprocess import Delivered, Opened, finish, needs_reconstruction, with_probe
from mgie_engine.serving.slot_painting import PaintingSlots, SlotPainting
from mgie_engine.text.prompting import Prompt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as the U-Net sees it, and what the autoencoder makes of it."""

    latents: Tensor  # (C, h, w), on the device
    reconstruction: Image.Image  # the picture itself where restoring needs no other


class FastPath:
    """The programs of one model, and the work around them."""

    def __init__(
        self, mgie: MGIE, plan: SlotPlan, reuse_guidance: bool = False, overlaps: bool = True
    ) -> None:
        """Records every program; torch.OutOfMemoryError if there is no room, ValueError for other networks.

        `overlaps`: on a GPU, let readings and denoising steps run at the same time, on a stream each.
        """
        self.plan, self.model, self.device = plan, mgie, mgie.device
        # What may run at the same time must not share memory, so each has a pool of its own.
        self.graphs, painting, pictures = (Graphs(mgie.device) for _ in range(3))
        self._pools = self.graphs, painting, pictures
        rules = mgie.reader._rules()
        unet = FusedUNet(mgie.unet)
        self.decoder = StaticDecoder(
            mgie.mllm, self.graphs, plan.rows, plan.length, rules.never, rules.no_repeat_ngram
        )
        self.reader = SharedReader(mgie.reader, self.decoder)
        self.painting = PaintingSlots(mgie, unet, painting, plan.painting, reuse_guidance)
        self._coder = PictureCoder(mgie.vae, mgie.config, pictures)
        self._side = threading.Lock()
        on_gpu = mgie.device.type == "cuda"
        self._stream = _stream(mgie.device) if on_gpu else None
        self._reading = _stream(mgie.device, priority=-1) if on_gpu and overlaps else None
        count, hidden = mgie.config.edit_head.visual_tokens, mgie.config.language.hidden_size
        self._states = torch.zeros(1, count, hidden, device=self.device, dtype=mgie.dtype)
        self._guide: Program[Tensor] = self._guided
        for edits in plan.batches:
            self.painting.add(edits, 3)
            if reuse_guidance:
                self.painting.add(edits, 1)
        self.painting.add(1, 2)
        if self.graphs.enabled:
            began = time.monotonic()
            self._record()
            recorded = sum(pool.recorded for pool in self._pools)
            log.info("%d graphs took %.1f s.", recorded, time.monotonic() - began)

    @torch.inference_mode()
    def run_once(self) -> None:
        """Run each kind of program; without data this only compiles their kernels."""
        self.decoder.run_once(PREFILL_LENGTHS[0])
        for shape in self.painting.shapes:
            self.painting.program(*shape)()
        self._coder.run_once()

    def _record(self) -> None:
        """Record readings and pictures side by side: most of that time the libraries look for their kernels.

        Steps and pictures take turns: two warm-ups of theirs at once would be the start's peak of memory.
        """
        # What the libraries found belongs to these threads, so they stay.
        self._recorders = ThreadPoolExecutor(2, "recording")
        kinds = self._record_reading, self._record_pictures
        for recorded in [self._recorders.submit(record) for record in kinds]:
            recorded.result()

    def _record_pictures(self) -> None:
        self.painting.record()
        self._coder.record()

    def _record_reading(self) -> None:
        self.decoder.record(PREFILL_LENGTHS)
        self._guide = self.graphs.record("the edit head", self._guided)

    def _guided(self) -> Tensor:
        return self.model.guide(self._states)

    @property
    def overlaps(self) -> bool:
        """Whether readings go on while a denoising step is made."""
        return self._reading is not None

    @contextmanager
    def reads(self) -> Iterator[None]:
        """Around whatever advances readers."""
        with torch.cuda.stream(self._reading):
            yield

    def see(self, square: Image.Image) -> Tensor:
        """The pixels (1, 3, H, W) the language model is shown; for a thread."""
        pixels = clip_pixels(square, self.model.config.vision)[None].to(self.model.dtype)
        return pixels.pin_memory() if self._stream else pixels

    def encode(self, square: Image.Image, settings: EditSettings) -> Encoded:
        """The picture as latents and, if restoring will ask for it, back; for a thread."""
        shown = square
        with self._beside():
            latents = self._coder.encode([square])
            if needs_reconstruction(square, settings.keep):
                (shown,) = self._coder.decode(latents * self.model.config.latent_scale)
        return Encoded(latents[0], shown)

    def reading(self, square: Image.Image, pixels: Tensor, prompt: Prompt) -> Generator[None, None, Reading]:
        """As `MGIE.reading`, sharing each token with the others that read."""
        if not self.reader.fits(prompt):
            read = yield from self.model.reading(square, prompt)
            self._wait_for_own_stream()
            return read
        thought = yield from self.reader.read(pixels, prompt)
        self._states.copy_(thought.states[None])
        guidance = self._guide()[0].clone()
        raw = self.model.tokenizer.decode(thought.ids)
        return Reading(thought.expressive, raw, guidance, thought.notes, thought.confidence, thought.others)

    def begin(self, settings: EditSettings, guidance: Tensor, encoded: Encoded) -> SlotPainting:
        """Begin to paint, where `painting.free` has a slot."""
        if self._reading is not None:
            torch.cuda.current_stream(self.device).wait_stream(self._reading)
        return self.painting.begin(settings, guidance, encoded.latents)

    def preview(self, painting: SlotPainting) -> Callable[[], bytes]:
        """The latents as they are now; what is given back makes a small picture of them, for a thread."""
        ready = self._when_done(painting.x0)

        def work() -> bytes:
            return to_preview(self.model.preview(ready()))

        return work

    def finish(self, painting: SlotPainting, opened: Opened, encoded: Encoded) -> Callable[[], Delivered]:
        """Take the painted latents out of their slot; what is given back makes the picture, for a thread."""
        latents, relevance = painting.latents, painting.relevance
        done, settings = self._event(), painting.settings

        def work() -> Delivered:
            with self._beside(done):
                (output,) = self._coder.decode(latents[None])  # NotFinite for latents that are not
                spoken = relevance.float().cpu().numpy()
                painted = opened.painted(encoded.reconstruction, output, spoken, self.model.config.name)
                painted = with_probe(self._coder, painted) if settings.keep != "off" else painted
            return finish(painted, settings)

        return work

    def _wait_for_own_stream(self) -> None:
        if self._reading is not None:
            self._reading.synchronize()

    def _event(self) -> Any:
        if self._stream is None:
            return None
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return event

    def _when_done(self, tensor: Tensor) -> Callable[[], Tensor]:
        """A tensor on its way to the CPU; calling waits for it."""
        arrived = tensor.to("cpu", non_blocking=True)
        event = self._event()

        def wait() -> Tensor:
            if event is not None:
                event.synchronize()
            return arrived

        return wait

    @contextmanager
    def _beside(self, after: Any = None) -> Iterator[None]:
        """On the stream of the threads, one thread at a time; what was begun inside is done at the end."""
        with self._side, torch.inference_mode():
            if self._stream is None:
                yield
                return
            with torch.cuda.stream(self._stream):
                if after is not None:
                    self._stream.wait_event(after)
                yield
                self._stream.synchronize()


def _stream(device: torch.device, priority: int = 0) -> torch.cuda.Stream:
    return torch.cuda.Stream(device, priority=priority)  # type: ignore[no-untyped-call]
