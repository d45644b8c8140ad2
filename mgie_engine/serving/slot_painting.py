"""Painting on the device: a denoising step of up to 8 edits is one program, and nothing in it waits.

Every edit has a slot of fixed tensors for its latents, its picture and its words. A step says which slots
take part and gives each its own numbers; guidance, sampler and bookkeeping happen on the device.
"""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.config import NoiseSchedule
from mgie_engine.model import sampling
from mgie_engine.model.cuda_graphs import Graphs, Program
from mgie_engine.model.denoising_step import SlotTensors, step_inputs, step_outputs
from mgie_engine.model.fused_unet import FusedUNet
from mgie_engine.model.mgie import MGIE

REUSE_FROM = 0.2  # share of the steps from which on level fast computes guidance at every other step
LAUNCH = 0.375  # what a program costs beyond its edits, in edits (measured at full size on an H200)
AHEAD = 2  # steps that may be launched before the first of them is done
LONG_S = 0.02  # seconds of a step from which on one ahead is enough, and a newcomer need not wait for two
NUMBERS = 11  # per edit and step, see `SlotPainting.numbers`


class SlotPainting:
    """One edit in its slot; the counterpart of `Painting`, whose tensors live on the device."""

    def __init__(self, slots: "PaintingSlots", number: int, settings: EditSettings) -> None:
        self.settings = settings
        self.number = number
        self.step = 0  # steps launched
        self._guided = 0  # of those, the steps with all branches
        self._slots = slots
        self._way = sampling.schedule(slots.noise, settings.sampler, settings.steps)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._released = False

    @property
    def is_over(self) -> bool:
        """Whether every step was launched."""
        return self.step == self.settings.steps

    @property
    def leaves_picture_out(self) -> bool:
        """Whether the branch that sees neither picture nor words has weight 0."""
        return self.settings.image_cfg == 1.0

    @property
    def latents(self) -> Tensor:
        """(C, h, w), a copy, ready once what was launched so far is done."""
        return self._slots.held.latents[self.number].clone()

    @property
    def x0(self) -> Tensor:
        """(C, h, w), the clean picture as guessed at the last step, a copy."""
        return self._slots.held.x0[self.number].clone()

    @property
    def relevance(self) -> Tensor:
        """(h, w), how strongly the instruction spoke at each place, averaged over the steps."""
        return self._slots.held.relevance[self.number].clone() / max(1, self._guided)

    @property
    def image_latents(self) -> Tensor:
        """(C, h, w), of the picture the model starts from, a copy."""
        return self._slots.held.image_latents[self.number].clone()

    @property
    def reuses_guidance(self) -> bool:
        """Whether the next step takes the difference that guidance made from the step before; level fast."""
        early = self.step < REUSE_FROM * self.settings.steps
        return self._slots.reuse_guidance and not early and self.step % 2 == 1 and self.step > 0

    def launched(self) -> None:
        """Go on to the next step."""
        self._guided += not self.reuses_guidance
        self.step += 1

    def first_noise(self) -> Tensor:
        """The latents to begin with (C, h, w), on the CPU."""
        return sampling.noise_like(self._slots.shape, self._generator) * self._way.first_scale

    def draw(self, into: Tensor) -> None:
        """This step's fresh noise (C, h, w), if its sampler uses any."""
        if self.settings.sampler == "euler_ancestral":
            torch.randn(self._slots.shape, generator=self._generator, out=into)

    def numbers(self) -> list[float]:
        """What the next step needs to know: input scale, timestep, three branch weights, two of the
        prediction and four of the sampler, so that x0 = cx · latents + ce · prediction and the next latents
        are a · latents + b · x0 + c · noise + d · the x0 before."""
        sigma, there = self._way.sigmas[self.step], self._way.sigmas[self.step + 1]
        text, image = self.settings.text_cfg, self.settings.image_cfg
        spread = math.sqrt(sigma * sigma + 1)
        if self._slots.noise.prediction_type == "epsilon":
            cx, ce = 1.0, -sigma
        else:
            cx, ce = 1 / (spread * spread), -sigma / spread
        before = self._way.sigmas[self.step - 1] if self.step else 0.0
        moves = (
            _euler(sigma, there)
            if self.settings.sampler == "euler_ancestral"
            else _dpmpp(before, sigma, there)
        )
        return [1 / spread, self._way.timesteps[self.step], 1 - image, image - text, text, cx, ce, *moves]

    def release(self) -> None:
        """Give the slot back."""
        if not self._released:
            self._released = True
            self._slots.free.append(self.number)


def _timer() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def _euler(sigma: float, there: float) -> tuple[float, float, float, float]:
    """As `sampling.euler_ancestral_step`."""
    up = math.sqrt(max(0.0, there**2 * (sigma**2 - there**2) / sigma**2))
    down = math.sqrt(max(0.0, there**2 - up**2))
    return down / sigma, 1 - down / sigma, up, 0.0


def _dpmpp(before: float, sigma: float, there: float) -> tuple[float, float, float, float]:
    """As `sampling.dpmpp_2m_step`; `before` is 0 at the first step."""
    ratio = 0.0
    if before and there:
        ratio = 0.5 * math.log(sigma / there) / abs(math.log(before / sigma))
    kept = there / sigma
    return kept, (1 - kept) * (1 + ratio), 0.0, -(1 - kept) * ratio


def split(count: int, sizes: Sequence[int]) -> list[int]:
    """How many edits each program takes so that `count` edits cost least; the largest groups first.

    A program costs the time of `size` edits and a launch, even where it is padded.
    """
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for total in range(1, count + 1):
        options = []
        for size in sizes:
            cost, groups = best[max(0, total - size)]
            options.append((cost + size + LAUNCH, [*groups, min(size, total)]))
        best.append(min(options, key=lambda option: option[0]))
    return sorted(best[count][1], reverse=True)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a program reads, on the device."""

    slots: Tensor  # (B,)
    numbers: Tensor  # (B, NUMBERS)
    noise: Tensor  # (B, C, h, w)


class PaintingSlots:
    """The slots of one device and the programs that advance them."""

    @torch.inference_mode()
    def __init__(
        self, mgie: MGIE, unet: FusedUNet, graphs: Graphs, slots: int, reuse_guidance: bool = False
    ) -> None:
        self.noise: NoiseSchedule = mgie.config.noise
        self.device = mgie.device
        self.capacity = slots
        self.reuse_guidance = reuse_guidance
        self.free = deque(range(slots))
        self.shape = mgie.config.latent_shape
        self._unet, self._graphs, self._rescale = unet, graphs, mgie.config.guidance_rescale
        self.held = SlotTensors.zeros(slots + 1, self.shape, self.device)
        # Keys and values of the words of every slot, and last of none.
        null = unet.keys_values(mgie.null_guidance[None])  # (1, 77, words)
        self._words = torch.cat([null.new_zeros(slots + 1, *null.shape[1:]), null])
        self._inputs: dict[int, _Inputs] = {}
        self._programs: dict[tuple[int, int], Program[None]] = {}
        self.step_s = 0.0  # seconds the last step of all took
        self._launched: deque[tuple[torch.cuda.Event, torch.cuda.Event, int]] = deque()

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Edits and branches of every program there is."""
        return sorted(self._programs)

    def add(self, edits: int, branches: int) -> None:
        """Have a program for so many edits in 2 or 3 branches each; 1 branch reuses the guidance."""
        if edits not in self._inputs:
            self._inputs[edits] = _Inputs(
                torch.full((edits,), self.capacity, device=self.device),
                torch.zeros(edits, NUMBERS, device=self.device),
                torch.zeros(edits, *self.shape, device=self.device),
            )
        inputs = self._inputs[edits]

        def program() -> None:
            self._step(inputs, branches)

        self._programs[edits, branches] = program

    def program(self, edits: int, branches: int) -> Program[None]:
        """One of the programs; run as it is, it moves nothing but the slot that pads."""
        return self._programs[edits, branches]

    def record(self) -> None:
        """Record the programs there are."""
        for (edits, branches), program in self._programs.items():
            name = f"a denoising step of {edits} edits in {branches} branches"
            self._programs[edits, branches] = self._graphs.record(name, program)

    def drop(self, edits: int, branches: int) -> None:
        """Do without a program; others take over its work as long as one for one edit is left."""
        self._programs.pop((edits, branches), None)

    @torch.inference_mode()
    def begin(self, settings: EditSettings, guidance: Tensor, image_latents: Tensor) -> SlotPainting:
        """Take a free slot for an edit: guidance (77, D), image_latents (C, h, w), both on the device."""
        painting = SlotPainting(self, self.free.popleft(), settings)
        number = painting.number
        held = self.held
        held.latents[number].copy_(self._on_its_way(painting.first_noise()), non_blocking=True)
        held.x0[number].zero_()
        held.relevance[number].zero_()
        held.image_latents[number].copy_(image_latents)
        self._words[number].copy_(self._unet.keys_values(guidance))
        return painting

    @torch.inference_mode()
    def advance(self, paintings: Sequence[SlotPainting]) -> Sequence[SlotPainting]:
        """Launch one step of each; gives them back."""
        sizes = sorted({edits for edits, _ in self._programs})
        parts: list[Sequence[SlotPainting]] = []
        for reuses in (False, True):
            group = [painting for painting in paintings if painting.reuses_guidance == reuses]
            for count in split(len(group), sizes):
                parts.append(group[:count])
                group = group[count:]
        for part in parts:
            self._launch(part, len(parts))
        return paintings

    @property
    def is_ahead(self) -> bool:
        """Whether so much was launched that launching more would wait."""
        while self._launched and self._launched[0][1].query():  # type: ignore[no-untyped-call]
            self.wait(len(self._launched) - 1)
        return len(self._launched) >= self._ahead

    @property
    def _ahead(self) -> int:
        return 1 if self.step_s >= LONG_S else AHEAD

    def wait(self, ahead: int = 0) -> None:
        """Wait until at most so many launches are not done."""
        while len(self._launched) > ahead:
            began, done, parts = self._launched.popleft()
            done.synchronize()
            self.step_s = parts * began.elapsed_time(done) / 1000

    def _launch(self, paintings: Sequence[SlotPainting], parts: int) -> None:
        edits, branches = self._fitting(paintings)
        inputs, count = self._inputs[edits], len(paintings)
        noise = torch.zeros(count, *self.shape, pin_memory=self.device.type == "cuda")
        for painting, into in zip(paintings, noise, strict=True):
            painting.draw(into)
        numbers = torch.tensor([p.numbers() for p in paintings] + [[0.0] * NUMBERS] * (edits - count))
        slots = torch.tensor([p.number for p in paintings] + [self.capacity] * (edits - count))
        inputs.noise[:count].copy_(noise, non_blocking=True)
        inputs.numbers.copy_(self._on_its_way(numbers), non_blocking=True)
        inputs.slots.copy_(self._on_its_way(slots), non_blocking=True)
        on_gpu, clock = self.device.type == "cuda", time.monotonic()
        began, done = (_timer() for _ in range(2)) if on_gpu else (None, None)
        if began is not None:
            began.record()
        self._programs[edits, branches]()
        for painting in paintings:
            painting.launched()
        if began is None or done is None:
            self.step_s = parts * (time.monotonic() - clock)
            return
        done.record()
        self._launched.append((began, done, parts))
        self.wait(self._ahead)

    def _fitting(self, paintings: Sequence[SlotPainting]) -> tuple[int, int]:
        """The smallest program for these edits."""
        if paintings[0].reuses_guidance:
            branches = {1}
        else:
            branches = {2, 3} if all(p.leaves_picture_out for p in paintings) else {3}
        usable = [shape for shape in self._programs if shape[0] >= len(paintings) and shape[1] in branches]
        return min(usable, key=math.prod)

    def _step(self, inputs: _Inputs, branches: int) -> None:
        slots, numbers = inputs.slots, inputs.numbers
        seen = step_inputs(self.held, slots, numbers, branches, self._unet.dtype)
        without = slots.new_full(((branches - 1) * len(slots),), len(self._words) - 1)
        words = self._words[torch.cat([without, slots])]
        found = self._unet(seen, numbers[:, 1], words)
        step_outputs(self.held, found, slots, numbers, inputs.noise, self._rescale)

    def _on_its_way(self, values: Tensor) -> Tensor:
        return values.pin_memory() if self.device.type == "cuda" else values
