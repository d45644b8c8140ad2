"""The edits of a study: generated scenes, one edit in few and in many words, and a user's own pictures.

A folder of pictures holds `instructions.tsv`: a picture, an instruction and, if there is one, a goal picture
per line, separated by tabs. Lines that begin with # are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from random import Random

from PIL import Image
from torch import Tensor

from conversations.images.image_store import read_picture
from mgie_engine.errors import DataError
from mgie_engine.lab.evaluation.scene_cases import cases
from mgie_engine.lab.evaluation.scenes_running import pixels
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.lab.scenes.stories import first_edit, story
from mgie_engine.lab.study.sweep_results import Subject
from mgie_engine.serving.pictures import for_the_model, open_picture
from mgie_engine.strengths import instruction_traits, measure_complexity
from mgie_engine.text.prompting import Prompt

LIST = "instructions.tsv"
DRAWS = 150  # wordings drawn for one picture
SHORT, LONG = "short", "long"
FEWER = 0.6  # largest share of the long wording's words that the short one may have


@dataclass(frozen=True, slots=True)
class Task:
    """One edit to run: its picture at the model's size, and its goal if one is known."""

    subject: Subject
    picture: Image.Image
    prompt: Prompt
    goal: Tensor | None  # (3, S, S) in [0, 1]


def scene_tasks(split: Split, size: int, first: int, number: int) -> Iterator[Task]:
    """The first edits of a split from story `first` on; pictures of `size` pixels a side."""
    for index, case in enumerate(islice(cases(split, size, first), number)):
        name = f"{first}+{index}"
        edit, prompt = case.edit, Prompt(case.edit.instruction, case.history)
        yield _task((name, split), to_image(case.before), prompt, case.goal, edit.kind, case.start)


def worded_tasks(size: int, first: int, number: int) -> Iterator[Task]:
    """Edits of the validation split in few and in many words: the same picture, goal and name."""
    found = ((seed, pair) for seed in count(first) if (pair := _worded(seed)))
    for seed, (state, short, long) in islice(found, number):
        before, goal = pictures([state, short.goal], size)
        for edit, part in ((short, SHORT), (long, LONG)):
            prompt = Prompt(edit.instruction)
            yield _task((str(seed), part), to_image(before), prompt, goal, edit.kind, state)


def folder_tasks(folder: Path, size: int) -> Iterator[Task]:
    """The edits that the folder's list names; DataError for a line or a picture that cannot be read."""
    file = folder / LIST
    if not file.is_file():
        raise DataError(f"{folder} has no {LIST}: a picture, a tab, an instruction per line.")
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        picture, *rest = (part.strip() for part in line.split("\t"))
        if not rest or not rest[0]:
            raise DataError(f"{file}, line {number}: a picture and an instruction, separated by a tab.")
        before = _read(folder / picture, size)
        goal = pixels(_read(folder / rest[1], size)) if rest[1:] and rest[1] else None
        yield _task((f"{number}", "pictures"), before, Prompt(rest[0]), goal)


def _read(file: Path, size: int) -> Image.Image:
    if not file.is_file():
        raise DataError(f"There is no picture {str(file)!r}.")
    return for_the_model(open_picture(read_picture(file.read_bytes()).png), size)


def _worded(seed: int) -> tuple[State, Edit, Edit] | None:
    """The edit of picture number `seed` with the largest difference in words."""
    state = story(seed, "validation").states[0]
    streams = RngStreams.of(Random(f"worded-{seed}"), "validation")
    ways = dict[tuple[str, State], list[Edit]]()
    for _ in range(DRAWS):
        edit = first_edit(streams, state)
        if edit.goal != state:
            ways.setdefault((edit.kind, edit.goal), []).append(edit)

    def words(edit: Edit) -> int:
        return len(edit.instruction.split())

    pairs = [(min(edits, key=words), max(edits, key=words)) for edits in ways.values()]
    short, long = max(pairs, key=lambda pair: words(pair[1]) - words(pair[0]))
    return (state, short, long) if words(short) <= FEWER * words(long) else None


def _task(
    named: tuple[str, str],
    picture: Image.Image,
    prompt: Prompt,
    goal: Tensor | None,
    kind: str = "",
    state: State | None = None,
) -> Task:
    """named: the edit and its part. kind, state: of a scene edit."""
    objects = None if state is None or state.scene is None else len(state.scene.objects)
    said = prompt.instruction
    look = measure_complexity(picture)
    return Task(Subject(*named, kind, said, instruction_traits(said), look, objects), picture, prompt, goal)
