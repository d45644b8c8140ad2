"""Public layouts of editing data, read as examples without expressive instructions.

InstructPix2Pix (github.com/timothybrooks/instruct-pix2pix): folders with a prompt.json and pairs
SEED_0.jpg, SEED_1.jpg; if they were filtered, a seeds.json on top lists those that are good.

MagicBrush (github.com/OSU-NLP-Group/MagicBrush): edit_sessions.json, images/ID/ID-input.png and
ID-output1.png, …; with its test set, global_descriptions.json with a caption of each picture.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import EditExample
from mgie_engine.lab.json_files import read_json

SESSIONS, TURNS, CAPTIONS = "edit_sessions.json", "edit_turns.json", "global_descriptions.json"


@dataclass(frozen=True, slots=True)
class BrushTurn:
    """One turn of a MagicBrush session."""

    instruction: str
    before: Path
    after: Path
    caption: str  # of the goal; "" where the data has none


def pix2pix(folder: Path) -> Iterator[EditExample]:
    """Pairs of an InstructPix2Pix folder: those of seeds.json in its order, else all, by name.

    An example's id is the folder's name, "_", and the input's name without ".jpg", as in the release.
    """
    if (folder / "seeds.json").is_file():
        listed = read_json(folder / "seeds.json")
        for name, seeds in listed:
            yield from _pairs(inside(folder, name), [f"{seed}_0.jpg" for seed in seeds])
        return
    prompts = sorted(folder.rglob("prompt.json"))
    if not prompts:
        raise DataError(f"The folder {folder} holds no prompt.json.")
    for file in prompts:
        yield from _pairs(file.parent, sorted(found.name for found in file.parent.glob("*_0.jpg")))


def magicbrush(folder: Path) -> Iterator[EditExample]:
    """MagicBrush's turns; ids are the goals' names. Each turn starts at the goal of the turn before."""
    for session, turns in brush_sessions(folder):
        history: tuple[Exchange, ...] = ()
        for turn in turns:
            yield EditExample(
                turn.after.stem,
                turn.instruction,
                turn.before,
                turn.after,
                caption=turn.caption,
                session=session,
                history=history,
            )
            history += (Exchange(turn.instruction, ""),)


LAYOUTS: dict[str, Callable[[Path], Iterator[EditExample]]] = {"ipr2pr": pix2pix, "magicbrush": magicbrush}


def examples_of(folder: Path) -> Iterator[EditExample]:
    """The examples of a folder: our parquet files, MagicBrush's layout, or else InstructPix2Pix's."""
    if any(folder.glob("examples-*.parquet")):
        return shards.read_examples(folder)
    if (folder / SESSIONS).is_file() or (folder / TURNS).is_file():
        return magicbrush(folder)
    return pix2pix(folder)


def brush_sessions(folder: Path) -> Iterator[tuple[str, list[BrushTurn]]]:
    """MagicBrush's sessions by their ids; without edit_sessions.json every turn is a session of its own."""
    captions = read_json(folder / CAPTIONS) if (folder / CAPTIONS).is_file() else {}
    if (folder / SESSIONS).is_file():
        sessions = read_json(folder / SESSIONS)
    else:
        sessions = {_stem(turn["output"]): [turn] for turn in read_json(folder / TURNS)}
    for session, turns in sessions.items():
        yield session, [_brush_turn(folder, captions, turn) for turn in turns]


def _brush_turn(folder: Path, captions: Mapping[str, Any], turn: Mapping[str, str]) -> BrushTurn:
    try:
        before, after, instruction = turn["input"], turn["output"], turn["instruction"]
    except KeyError as error:
        raise DataError(f"A turn in {folder} lacks {error}.") from error
    image = before.split("-")[0]
    pictures = inside(folder, "images", image)
    caption = captions.get(image, {}).get(after, "")
    return BrushTurn(instruction, inside(pictures, before), inside(pictures, after), caption)


def _pairs(folder: Path, inputs: list[str]) -> Iterator[EditExample]:
    prompt = read_json(folder / "prompt.json")
    if "edit" not in prompt:
        raise DataError(f'{folder / "prompt.json"} has no "edit".')
    for name in inputs:
        goal = folder / (name.removesuffix("_0.jpg") + "_1.jpg")
        if not goal.is_file():
            raise DataError(f"The picture {goal} is missing.")
        id_ = f"{folder.name}_{Path(name).stem}"
        yield EditExample(id_, prompt["edit"], folder / name, goal, caption=prompt.get("output", ""))


def inside(folder: Path, *names: str) -> Path:
    """A path below the folder; DataError for names that lead out of it."""
    path = folder.joinpath(*names)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"The name {'/'.join(names)!r} leads out of {folder}.")
    return path


def _stem(name: str) -> str:
    return Path(name).stem
