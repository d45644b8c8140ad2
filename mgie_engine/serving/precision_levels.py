"""How exactly an engine computes: a name for what may differ from the plain path, and the test behind it.

An engine at `same` or `fast` compares each of its programs with the plain path when it starts. A program that
is off by more than the tolerance is dropped, and without all it needs the engine works at `exact`.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from conversations.settings import EditSettings
from mgie_engine.checkpoints.failures import is_out_of_memory
from mgie_engine.memory.graph_memory import SLOT_PLANS
from mgie_engine.memory.loading import give_back
from mgie_engine.memory.modes import STAGED, Mode
from mgie_engine.model.mgie import MGIE, finish
from mgie_engine.serving.denoising import Painting, batch
from mgie_engine.serving.fast_path import FastPath
from mgie_engine.serving.slot_painting import SlotPainting
from mgie_engine.text.prompting import Prompt

LEAST_COSINE = 0.999  # of guidance, to the plain path
MOST_ERROR = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 4e-2}  # of a step, by its norm
TRIAL = Prompt("make the sky darker", reading="The sky turns dark, with heavy clouds.")
TOKENS = 6  # decoded in the self-test
log = logging.getLogger(__name__)


class Level(StrEnum):
    """What an engine may change in its results."""

    EXACT = "exact"  # the plain path, equal to the goldens
    SAME = "same"  # the same mathematics in other kernels, so other rounding
    FAST = "fast"  # approximations, whose loss docs/models.md gives


@dataclass(frozen=True, slots=True)
class Prepared:
    """How an engine will work."""

    level: Level
    fast: FastPath | None = None  # None at `exact`
    notes: tuple[str, ...] = ()  # a sentence for whatever could not be done


def default_level(device: torch.device, mode: Mode) -> Level:
    """`same` on an NVIDIA GPU that holds all networks at once, else `exact`."""
    graphs = device.type == "cuda" and torch.version.hip is None
    return Level.SAME if graphs and mode not in STAGED else Level.EXACT


def prepare(mgie: MGIE, mode: Mode, requested: Level | None) -> Prepared:
    """Record and test what the level needs; where that fails less of it, and a note (logged, too) says so."""
    level = requested or default_level(mgie.device, mode)
    if level is Level.EXACT:
        return Prepared(level)
    if mode in STAGED:
        return _plain(f"The memory mode {mode} has no level {level}")
    notes: list[str] = []
    plain: PlainResults | None = None
    for plan in SLOT_PLANS:
        try:
            plain = plain or PlainResults(mgie, plan.painting)
            give_back()  # what loading tried the model out with, and what the plain path took
            fast = FastPath(mgie, plan, reuse_guidance=level is Level.FAST)
            problem = self_test(mgie, fast, plain)
        except ValueError as error:
            return _plain(str(error).rstrip("."), notes)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            give_back()
            notes.append(f"Memory does not suffice for {plan.slots} edits at once at the level {level}.")
            log.warning(notes[-1])
            continue
        give_back()  # what recording and testing took; and other streams find all of it done
        return _plain(problem, notes) if problem else Prepared(level, fast, tuple(notes))
    return _plain(f"There is no memory for the level {level}", notes)


def self_test(mgie: MGIE, fast: FastPath, plain: "PlainResults | None" = None) -> str:
    """Compare with the plain path on a picture; drops steps that are off. Says why nothing is left, or ""."""
    plain = plain or PlainResults(mgie, fast.plan.painting)
    read = finish(fast.reading(plain.picture, fast.see(plain.picture), TRIAL)).guidance
    if (cosine := _cosine(read, plain.guidance)) < LEAST_COSINE:
        return f"The guidance of the fast path is off (cosine {cosine:.4f})"
    if (cosine := _decoded(mgie, fast, plain.picture)) < LEAST_COSINE:
        return f"The decode of the fast path is off (cosine {cosine:.4f})"
    for edits, branches in fast.painting.shapes:
        error = _step_error(fast, plain, edits, branches) if branches > 1 else 0.0
        if not error <= MOST_ERROR[mgie.unet.dtype]:
            log.warning("A step of %d edits is off by %.1e and is not used.", edits, error)
            fast.painting.drop(edits, branches)
    return "" if (1, 3) in fast.painting.shapes else "The denoising step of the fast path is off"


class PlainResults:
    """What the plain path makes of a picture. Computed before graphs are recorded, whose pools then have the
    memory that it took."""

    def __init__(self, mgie: MGIE, edits: int) -> None:
        """edits: the most that make a step together."""
        side = mgie.config.picture_size
        self.picture = Image.linear_gradient("L").convert("RGB").resize((side, side))
        self.guidance = mgie.read([self.picture], [TRIAL])[0].guidance
        self.encoded = mgie.encode([self.picture])[0]
        self._mgie = mgie
        asked = [step_settings(seed, 3) for seed in range(edits)] + [step_settings(0, 2)]
        self._steps = {settings: self._first_step(settings) for settings in asked}

    def x0(self, settings: EditSettings) -> Tensor:
        """The clean latents (C, h, w) as guessed at the first step of one of these edits."""
        return self._steps[settings]

    def _first_step(self, settings: EditSettings) -> Tensor:
        painting = Painting(self._mgie.config.noise, settings, self.guidance, self.encoded)
        return self._mgie.denoise(batch([painting])).x0[0]


def step_settings(seed: int, branches: int) -> EditSettings:
    """Of the edits in the self-test, which need 2 or 3 branches."""
    return EditSettings(7.5, 1.0 if branches == 2 else 1.5, 20, seed=seed, sampler="dpmpp_2m")


def _decoded(mgie: MGIE, fast: FastPath, picture: Image.Image) -> float:
    """The cosine of guidance when the static decode has written the first words itself."""
    prompt = Prompt(TRIAL.instruction)
    ids = mgie.reader.prompter.ids(prompt)
    tokenizer = mgie.reader.prompter.tokenizer
    decoder, row = fast.decoder, fast.decoder.rows - 1
    decoder.prefill(
        torch.tensor(ids), fast.see(picture), ids.index(tokenizer.picture_start) + 1, row, len(ids)
    )
    decoder.occupy(row, len(ids) - 1)
    written = [int(decoder.choose_next()[row]) for _ in range(TOKENS)]
    decoder.vacate(row)
    visual = tokenizer.visual
    found = decoder.states(row, len(ids) + TOKENS - 1, [written[-1], *visual[:-1]])
    rows = mgie.reader._rows(fast.see(picture).to(mgie.device), [[*ids, *written]])
    with torch.inference_mode():
        states = mgie.reader._force(rows)
    return _cosine(mgie.guide(found[None]), mgie.guide(states))


def _step_error(fast: FastPath, plain: PlainResults, edits: int, branches: int) -> float:
    """How far one step of a program is from the plain one, relative to its size."""
    paintings: list[SlotPainting] = []
    try:
        for seed in range(edits):
            settings = step_settings(seed, branches)
            paintings.append(fast.painting.begin(settings, plain.guidance, plain.encoded))
        wanted = torch.stack([plain.x0(painting.settings) for painting in paintings])
        fast.painting.advance(paintings)
        found = torch.stack([painting.x0 for painting in paintings])
        return float((found - wanted).norm() / wanted.norm())
    finally:
        fast.painting.wait()
        for painting in paintings:
            painting.release()


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(F.cosine_similarity(one.flatten().double(), other.flatten().double(), 0))


def _plain(reason: str, notes: list[str] | None = None) -> Prepared:
    sentence = f"{reason}; the engine works at the level {Level.EXACT}."
    log.warning(sentence)
    return Prepared(Level.EXACT, None, (*(notes or ()), sentence))
