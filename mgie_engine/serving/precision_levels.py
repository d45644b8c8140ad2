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
from mgie_engine.model.mgie import MGIE, NoisyBatch, finish
from mgie_engine.serving.fast_path import FastPath
from mgie_engine.serving.slot_painting import SlotPainting
from mgie_engine.text.prompting import Prompt

LEAST_COSINE = 0.999  # of guidance, to the plain path
MOST_ERROR = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 4e-2}  # of a step, by its norm
TRIAL = Prompt("make the sky darker", reading="The sky turns dark, with heavy clouds.")
SETTINGS = EditSettings(7.5, 1.5, 20, seed=0, sampler="dpmpp_2m", keep="off")
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
    give_back()  # what loading tried the model out with
    for plan in SLOT_PLANS:
        try:
            fast = FastPath(mgie, plan, reuse_guidance=level is Level.FAST)
            problem = self_test(mgie, fast)
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


def self_test(mgie: MGIE, fast: FastPath) -> str:
    """Compare with the plain path on a picture; drops steps that are off. Says why nothing is left, or ""."""
    side = mgie.config.picture_size
    picture = Image.linear_gradient("L").convert("RGB").resize((side, side))
    plain = mgie.read([picture], [TRIAL])[0].guidance
    read = finish(fast.reading(picture, fast.see(picture), TRIAL)).guidance
    if (cosine := _cosine(read, plain)) < LEAST_COSINE:
        return f"The guidance of the fast path is off (cosine {cosine:.4f})"
    if (cosine := _decoded(mgie, fast, picture)) < LEAST_COSINE:
        return f"The decode of the fast path is off (cosine {cosine:.4f})"
    # Encoded by a program, since the plain path takes more memory; what it is makes no difference here.
    steps = _PlainSteps(mgie, fast.encode(picture, SETTINGS).latents, plain)
    for edits, branches in fast.painting.shapes:
        error = _step_error(fast, steps, edits, branches) if branches > 1 else 0.0
        if not error <= MOST_ERROR[mgie.unet.dtype]:
            log.warning("A step of %d edits is off by %.1e and is not used.", edits, error)
            fast.painting.drop(edits, branches)
    return "" if (1, 3) in fast.painting.shapes else "The denoising step of the fast path is off"


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


class _PlainSteps:
    """What the plain path makes of the first step of an edit, computed once for equal settings."""

    def __init__(self, mgie: MGIE, encoded: Tensor, guidance: Tensor) -> None:
        self.guidance, self.encoded = guidance, encoded
        self._mgie = mgie
        self._known: dict[EditSettings, Tensor] = {}

    def x0(self, painting: SlotPainting) -> Tensor:
        """The clean latents (C, h, w) as guessed at the first step of an edit that has made none."""
        settings = painting.settings
        if settings not in self._known:
            numbers = torch.tensor([painting.numbers()], device=self._mgie.device)
            sigmas, timesteps = (1 / numbers[:, 0] ** 2 - 1).sqrt(), numbers[:, 1]
            scales = torch.tensor([settings.text_cfg]), torch.tensor([settings.image_cfg])
            given = self.guidance[None], self.encoded[None], *scales
            asked = NoisyBatch(painting.latents[None], sigmas, timesteps, *given)
            self._known[settings] = self._mgie.denoise(asked).x0[0]
        return self._known[settings]


def _step_error(fast: FastPath, plain: _PlainSteps, edits: int, branches: int) -> float:
    """How far one step of a program is from the plain one, relative to its size."""
    paintings: list[SlotPainting] = []
    try:
        for seed in range(edits):
            image_cfg = 1.0 if branches == 2 else 1.5
            settings = EditSettings(7.5, image_cfg, 20, seed=seed, sampler="dpmpp_2m")
            paintings.append(fast.painting.begin(settings, plain.guidance, plain.encoded))
        wanted = torch.stack([plain.x0(painting) for painting in paintings])
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
