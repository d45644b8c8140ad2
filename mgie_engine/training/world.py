"""Stories as tables of numbers: what the small model is trained on, written once, read by every stage.

A chunk is one .npz file of many stories. Pictures are stored as sheets (not pixels), texts as token ids, so
that half a million edits take seconds to write and fit in memory; painting them is the GPU's work.
"""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgie_engine.edits import Exchange
from mgie_engine.prompting import Prompt, Prompter
from mgie_engine.scenes.edits import State
from mgie_engine.scenes.scene import (
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
from mgie_engine.scenes.stories import MAX_HISTORY, Step, story
from mgie_engine.scenes.tones import TONES
from mgie_engine.scenes.wording import Split, inventory

MAX_TOKENS = 288  # a text that is longer, one in some 100,000, is left out
MAX_TONES = 4
KINDS = (
    "recolour", "remove", "add", "replace", "resize", "move", "background", "ambiguous", "tonal", "follow-up",
    "nothing", "refuse", "inventory",
)  # fmt: skip
INVENTORY = KINDS.index("inventory")
ASK_INVENTORY = "list what is here"  # never shown to people; it teaches the language model to look
_CELLS = tuple(Cell(row, column) for row in ROWS for column in range(COLUMNS))
_KINDS, _COLOURS, _SIZES = (*GROUND_KINDS, *SKY_KINDS), tuple(COLOURS), tuple(SIZES)
ANSWERS = (
    *(1 + len(_KINDS), len(_COLOURS), len(_SIZES), len(MATERIALS)) * len(_CELLS),
    len(GROUNDS),
    len(SKY_COLOURS),
    len(TIMES),
    len(WEATHERS),
)  # how many answers each question about a picture has
_TONE_IDS = {name: index for index, name in enumerate(TONES)}
TONE_NAMES = tuple(TONES)

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class World:
    """N pictures and M edits; `before` and `after` index pictures."""

    shapes: Array  # (N, SHAPES, 14) float32
    backdrop: Array  # (N, 22) float32
    tone: Array  # (N, MAX_TONES) int8, -1 where there is none
    strength: Array  # (N, MAX_TONES) float32
    is_photo: Array  # (N,) bool
    truth: Array  # (N, len(ANSWERS)) int8: what is in each cell and around; -1 for photos
    before: Array  # (M,) int32
    after: Array  # (M,) int32
    kind: Array  # (M,) int8, index into KINDS
    ids: Array  # (M, MAX_TOKENS) int16, 0 beyond `length`
    length: Array  # (M,) int16
    asked: Array  # (M,) int16, tokens of the prompt: what is not supervised
    picture_at: Array  # (M,) int16
    states_at: Array  # (M,) int16

    @classmethod
    def load(cls, files: Sequence[Path]) -> "World":
        """Several chunks as one world."""
        chunks = [np.load(file) for file in files]
        offsets = np.cumsum([0, *(len(chunk["is_photo"]) for chunk in chunks)])
        columns = {}
        for field in fields(cls):
            parts = [chunk[field.name] for chunk in chunks]
            if field.name in ("before", "after"):
                parts = [part + offset for part, offset in zip(parts, offsets, strict=False)]
            columns[field.name] = np.concatenate(parts)
        return cls(**columns)


def write_world(
    folder: Path,
    prompter: Prompter,
    stories: int,
    *,
    split: Split = "train",
    first: int = 0,
    chunk: int = 4000,
) -> list[Path]:
    """Write `stories` stories as chunks, in parallel; returns the files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (
            folder / f"{split}-{start:08d}.npz",
            prompter,
            range(start, min(start + chunk, first + stories)),
            split,
        )
        for start in range(first, first + stories, chunk)
    ]
    with multiprocessing.get_context("fork").Pool() as pool:
        return pool.starmap(_write_chunk, jobs)


def _write_chunk(file: Path, prompter: Prompter, seeds: range, split: Split) -> Path:
    states, rows = list[State](), list[dict[str, Array | np.generic]]()
    for seed in seeds:
        told = story(seed, split)
        first = len(states)
        states += told.states
        for step in told.steps:
            rows.append(_row(prompter, step, first))
        if told.states[0].scene:
            rows.append(_inventory_row(prompter, told.states[0], first))
    kept = [row for row in rows if row]
    columns = {name: np.stack([row[name] for row in kept]) for name in kept[0]}
    np.savez(file, allow_pickle=False, **_picture_columns(states), **columns)
    return file


def _row(prompter: Prompter, step: Step, first: int) -> dict[str, Array | np.generic]:
    history = tuple(Exchange(asked, said) for asked, said in step.history[-MAX_HISTORY:])
    prompt = Prompt(step.edit.instruction, history)
    places = {"before": first + step.before, "after": first + step.after, "kind": KINDS.index(step.edit.kind)}
    columns = _text_columns(prompter, prompt, step.edit.expressive)
    return columns and columns | _typed(places)


def _inventory_row(prompter: Prompter, state: State, first: int) -> dict[str, Array | np.generic]:
    assert state.scene
    columns = _text_columns(prompter, Prompt(ASK_INVENTORY), inventory(state.scene))
    return columns and columns | _typed({"before": first, "after": first, "kind": INVENTORY})


def _typed(places: dict[str, int]) -> dict[str, Array | np.generic]:
    return {name: np.int8(v) if name == "kind" else np.int32(v) for name, v in places.items()}


def _text_columns(prompter: Prompter, prompt: Prompt, expressive: str) -> dict[str, Array | np.generic]:
    asked = prompter.ids(prompt)
    answer = prompter.answer(expressive)
    ids = asked + answer
    if len(ids) > MAX_TOKENS:
        return {}
    padded = np.zeros(MAX_TOKENS, dtype=np.int16)
    padded[: len(ids)] = ids
    states_at = len(ids) - len(prompter.tokenizer.visual) - 2  # the state that predicts [IMG0]
    picture_at = asked.index(prompter.tokenizer.picture_start) + 1
    numbers = {"length": len(ids), "asked": len(asked), "picture_at": picture_at, "states_at": states_at}
    return {"ids": padded, **{name: np.int16(value) for name, value in numbers.items()}}


def _picture_columns(states: Sequence[State]) -> dict[str, Array]:
    sheets = [state.sheet() for state in states]
    tone = np.full((len(states), MAX_TONES), -1, dtype=np.int8)
    strength = np.zeros((len(states), MAX_TONES), dtype=np.float32)
    for row, state in enumerate(states):
        for place, (name, amount) in enumerate(state.tones):
            tone[row, place], strength[row, place] = _TONE_IDS[name], amount
    return {
        "shapes": np.stack([sheet.shapes for sheet in sheets]),
        "backdrop": np.stack([sheet.backdrop for sheet in sheets]),
        "tone": tone,
        "strength": strength,
        "is_photo": np.array([state.scene is None for state in states]),
        "truth": np.stack([_truth(state) for state in states]),
    }


def _truth(state: State) -> Array:
    """The answers to ANSWERS: kind, colour, size and material of every cell, then what is around."""
    if state.scene is None:
        return np.full(len(ANSWERS), -1, dtype=np.int8)
    told = list[int]()
    for cell in _CELLS:
        thing = state.scene.at(cell)
        told += [0, -1, -1, -1] if thing is None else [
            1 + _KINDS.index(thing.kind), _COLOURS.index(thing.colour), _SIZES.index(thing.size),
            MATERIALS.index(thing.material),
        ]  # fmt: skip
    scene = state.scene
    told += [GROUNDS.index(scene.ground), SKY_COLOURS.index(scene.sky), TIMES.index(scene.time)]
    return np.array([*told, WEATHERS.index(scene.weather)], dtype=np.int8)
