"""The dataset of the small model: stories as arrays, written once, read by every stage.

A chunk is one .npz file of many stories. Pictures are stored as shape tables (not pixels), texts as token
ids, so that half a million edits take seconds to write and fit in memory; the GPU renders them. Every edit
has several wordings, which share its pictures and its answer.
"""

import multiprocessing
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgie_engine.lab.scenes.expressive_text import Split, inventory
from mgie_engine.lab.scenes.human_prompts import held_out_words, plain_words
from mgie_engine.lab.scenes.scene import (
    COLOURS,
    COLUMNS,
    GROUND_KINDS,
    GROUNDS,
    MATERIALS,
    ROWS,
    SIZES,
    SKY_COLOURS,
    SKY_KINDS,
    TIMES,
    WEATHERS,
    Cell,
)
from mgie_engine.lab.scenes.scene_edits import State
from mgie_engine.lab.scenes.stories import tellings
from mgie_engine.lab.training.recipe import WORDINGS
from mgie_engine.restore.region_masks import REGIONS
from mgie_engine.restore.tones import TONES
from mgie_engine.text.prompting import Prompt, Prompter, question

MAX_TOKENS = 288  # a text that is longer, one in some 400, is left out
MAX_TONES = 6
KINDS = (
    "recolour", "remove", "add", "replace", "resize", "move", "background", "ambiguous", "tonal", "follow-up",
    "nothing", "refuse", "inventory", "compound", "local",
)  # fmt: skip
INVENTORY = KINDS.index("inventory")
ASK_INVENTORY = "list what is here"  # never shown to users; it trains the language model to look
_CELLS = tuple(Cell(row, column) for row in ROWS for column in range(COLUMNS))
_KINDS, _COLOURS, _SIZES = (*GROUND_KINDS, *SKY_KINDS), tuple(COLOURS), tuple(SIZES)
ANSWERS = (
    *(1 + len(_KINDS), len(_COLOURS), len(_SIZES), len(MATERIALS)) * len(_CELLS),
    len(GROUNDS),
    len(SKY_COLOURS),
    len(TIMES),
    len(WEATHERS),
)  # how many answers each question about a picture has
TONE_NAMES, REGION_NAMES = tuple(TONES), tuple(REGIONS)
_TONE_IDS = {name: index for index, name in enumerate(TONE_NAMES)}
_REGION_IDS = {name: index for index, name in enumerate(REGION_NAMES)}

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class SceneDataset:
    """N pictures, M edits and T texts; `before` and `after` index pictures, `edit` edits."""

    shapes: Array  # (N, SHAPES, 14) float32
    backdrop: Array  # (N, 22) float32
    view: Array  # (N, NUMBERS) float32: procedural photos
    tone: Array  # (N, MAX_TONES) int8, -1 where there is none
    strength: Array  # (N, MAX_TONES) float32
    region: Array  # (N, MAX_TONES) int8
    is_photo: Array  # (N,) bool
    truth: Array  # (N, len(ANSWERS)) int8: what is in each cell and around; -1 for photos
    before: Array  # (M,) int32
    after: Array  # (M,) int32
    kind: Array  # (M,) int8, index into KINDS
    edit: Array  # (T,) int32, the edit that a text asks for; its texts stand together
    ids: Array  # (T, MAX_TOKENS) int16, 0 beyond `length`
    length: Array  # (T,) int16
    asked: Array  # (T,) int16, tokens of the prompt: what is not supervised
    instruction_at: Array  # (T,) int16, first token of the instruction, which ends before the picture
    picture_at: Array  # (T,) int16
    states_at: Array  # (T,) int16

    @classmethod
    def load(cls, files: Sequence[Path]) -> "SceneDataset":
        """Several chunks as one dataset."""
        chunks = [np.load(file) for file in files]
        pictures, edits = (_offsets(len(chunk[name]) for chunk in chunks) for name in ("is_photo", "kind"))
        counted_from = {"before": pictures, "after": pictures, "edit": edits}
        columns = {}
        for field in fields(cls):
            parts = [chunk[field.name] for chunk in chunks]
            if offsets := counted_from.get(field.name):
                parts = [part + offset for part, offset in zip(parts, offsets, strict=True)]
            columns[field.name] = np.concatenate(parts)
        return cls(**columns)


def _offsets(lengths: Iterable[int]) -> list[int]:
    *before, _ = accumulate(lengths, initial=0)
    return before


def write_dataset(
    folder: Path,
    prompter: Prompter,
    stories: int,
    *,
    first: int = 0,
    split: Split = "train",
    wordings: int = WORDINGS,
    chunk: int = 1000,
) -> list[Path]:
    """Write `stories` stories from number `first` on in place of earlier chunks, in parallel; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{split}-*.npz"):
        old.unlink()
    end = first + stories
    chunks = [range(start, min(start + chunk, end)) for start in range(first, end, chunk)]
    jobs = [(folder / f"{split}-{seeds.start:08d}.npz", prompter, seeds, split, wordings) for seeds in chunks]
    # not "fork": forking a process with threads of torch ended in a segmentation fault once
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(min(len(jobs), os.cpu_count() or 1)) as pool:
        return pool.starmap(_write_chunk, jobs, chunksize=1)


def _write_chunk(file: Path, prompter: Prompter, seeds: range, split: Split, wordings: int) -> Path:
    states, edits, texts = list[State](), list[tuple[int, int, int]](), _Texts(prompter)
    for seed in seeds:
        stories = tellings(seed, split, wordings)
        first = len(states)
        states += stories[0].states
        for steps in zip(*(one.steps for one in stories), strict=True):
            step = steps[0]
            texts.add(
                len(edits),
                [
                    Prompt(step.edit.instruction, step.history)
                    for step in steps
                    if split != "train" or plain_words(step.edit.instruction) not in held_out_words()
                ],
                step.edit.expressive,
            )
            edits.append((first + step.before, first + step.after, KINDS.index(step.edit.kind)))
        if scene := states[first].scene:
            texts.add(len(edits), [Prompt(ASK_INVENTORY)], inventory(scene))
            edits.append((first, first, INVENTORY))
    before, after, kind = np.array(edits, dtype=np.int32).T
    places = {"before": before, "after": after, "kind": kind.astype(np.int8)}
    np.savez(file, allow_pickle=False, **_picture_columns(states), **places, **texts.columns())
    return file


class _Texts:
    """Collects the texts of a chunk."""

    def __init__(self, prompter: Prompter) -> None:
        self._prompter = prompter
        self._opening = prompter.tokenizer.encode_plain(question("").removesuffix(" ''"))
        self._rows = list[list[int]]()
        self._numbers = list[tuple[int, ...]]()

    def add(self, edit: int, prompts: Iterable[Prompt], expressive: str) -> None:
        """The ways to ask for an edit, all with one answer; what is too long is left out."""
        tokenizer, answer = self._prompter.tokenizer, self._prompter.answer(expressive)
        for prompt in prompts:
            asked = self._prompter.ids(prompt)
            if (length := len(asked) + len(answer)) > MAX_TOKENS:
                continue
            picture_at = asked.index(tokenizer.picture_start) + 1
            states_at = length - len(tokenizer.visual) - 2  # the state that predicts [IMG0]
            self._rows.append(asked + answer)
            instruction_at = self._after_opening(asked, picture_at)
            self._numbers.append((edit, length, len(asked), instruction_at, picture_at, states_at))

    def _after_opening(self, asked: list[int], picture_at: int) -> int:
        """Where the instruction that stands before the picture begins."""
        size = len(self._opening)
        places = range(picture_at - size, -1, -1)
        return next(place + size for place in places if asked[place : place + size] == self._opening)

    def columns(self) -> dict[str, Array]:
        """All texts so far, by the names of `SceneDataset`."""
        ids = np.zeros((len(self._rows), MAX_TOKENS), dtype=np.int16)
        for row, tokens in zip(ids, self._rows, strict=True):
            row[: len(tokens)] = tokens
        edit, *numbers = np.array(self._numbers, dtype=np.int32).T
        names = ("length", "asked", "instruction_at", "picture_at", "states_at")
        short = (number.astype(np.int16) for number in numbers)
        return {"edit": edit, "ids": ids} | dict(zip(names, short, strict=True))


def _picture_columns(states: Sequence[State]) -> dict[str, Array]:
    sheets = [state.sheet() for state in states]
    tone = np.full((len(states), MAX_TONES), -1, dtype=np.int8)
    strength = np.zeros((len(states), MAX_TONES), dtype=np.float32)
    region = np.zeros((len(states), MAX_TONES), dtype=np.int8)
    for row, state in enumerate(states):
        for place, spec in enumerate(state.tones):
            tone[row, place], strength[row, place] = _TONE_IDS[spec.name], spec.strength
            region[row, place] = _REGION_IDS[spec.region]
    return {
        "shapes": np.stack([sheet.shapes for sheet in sheets]),
        "backdrop": np.stack([sheet.backdrop for sheet in sheets]),
        "view": np.stack([state.view for state in states]),
        "tone": tone,
        "strength": strength,
        "region": region,
        "is_photo": np.array([state.scene is None for state in states]),
        "truth": np.stack([_truth(state) for state in states]),
    }


def _truth(state: State) -> Array:
    """The answers to ANSWERS: kind, colour, size and material of every cell, then what is around."""
    if state.scene is None:
        return np.full(len(ANSWERS), -1, dtype=np.int8)
    answers = list[int]()
    for cell in _CELLS:
        obj = state.scene.at(cell)
        answers += [0, -1, -1, -1] if obj is None else [
            1 + _KINDS.index(obj.kind), _COLOURS.index(obj.colour), _SIZES.index(obj.size),
            MATERIALS.index(obj.material),
        ]  # fmt: skip
    scene = state.scene
    answers += [GROUNDS.index(scene.ground), SKY_COLOURS.index(scene.sky), TIMES.index(scene.time)]
    return np.array([*answers, WEATHERS.index(scene.weather)], dtype=np.int8)
