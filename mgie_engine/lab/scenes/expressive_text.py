"""Expressive instructions in one fixed style, grounded in the picture.

They name what changes, where it is and what stays; each of up to four things that change has a sentence of
its own. `fact_checker` parses them.
"""

from collections.abc import Sequence
from typing import Literal

from mgie_engine.lab.scenes.scene import BACK, FRONT, SKY, Cell, Scene, SceneObject

Split = Literal["train", "validation", "test"]
PromptSet = Literal[
    "seen", "unseen", "followups", "fresh", "talks", "blind", "blind-talks"
]  # human prompts; the grammar was extended for the first alone

MOST_SENTENCES = 4  # of one expressive instruction that name a change
ROW_WORDS = {SKY: "in the sky", BACK: "at the back", FRONT: "in front"}
COLUMN_WORDS = ("on the far left", "left of the middle", "right of the middle", "on the far right")
ALL_STAYS = "Everything else stays."
REST_STAYS = "The rest stays."
THINGS_STAY = "All things stay where they are."
NOTHING = "Nothing changes."
AS_ASKED = "Nothing changes, as you asked."
KNOWN_HERE = "I can change drawn things, and the light and colour of any picture."
KNOWN_PHOTO = "On photos I can only change light and colour."


def describe(obj: SceneObject) -> str:
    """The full description of an object, e.g. "large red striped ball"."""
    material = "" if obj.material == "plain" else f" {obj.material}"
    return f"{obj.size} {obj.colour}{material} {obj.kind}"


def where(cell: Cell) -> str:
    """The full name of a place, e.g. "in front on the far left"."""
    return f"{ROW_WORDS[cell.row]} {COLUMN_WORDS[cell.column]}"


def there(obj: SceneObject) -> str:
    """An object with its place, e.g. "large red ball in front on the far left"."""
    return f"{describe(obj)} {where(obj.cell)}"


def stays(scene: Scene, *touched: SceneObject) -> str:
    """What stays: the object nearest to the first touched one (or the front left corner), or all else."""
    others = [obj for obj in scene.objects if obj not in touched]
    if not others:
        return ALL_STAYS
    cell = touched[0].cell if touched else Cell(FRONT, 0)

    def distance(obj: SceneObject) -> tuple[int, int, int]:
        row, column = obj.cell.row, obj.cell.column
        return abs(column - cell.column) + 2 * abs(row - cell.row), row, column

    nearest = min(others, key=distance)
    return f"The {nearest.colour} {nearest.kind} {where(nearest.cell)} stays."


def each_or_all(scene: Scene, group: Sequence[SceneObject], kinds: str, does: str, do: str) -> str:
    """What happens to all of a kind, and what stays: a sentence for each of up to four, else one for all."""
    said = [f"The {there(obj)} {does}." for obj in group]
    if len(group) > MOST_SENTENCES:
        said = [f"All {len(group)} {kinds} {do}."]
    return " ".join((*said, stays(scene, *group)))


def plural_effect(effect: str) -> str:
    """A tone's effect as it is said of several: "gets darker" → "get darker"."""
    verb, blank, rest = effect.partition(" ")
    return f"{verb.removesuffix('s')}{blank}{rest}"


def inventory(scene: Scene) -> str:
    """Everything in the scene in one sentence, to train a model to look."""
    objects = sorted(scene.objects, key=lambda t: (-t.cell.row, t.cell.column))
    listed = "; ".join(there(obj) for obj in objects) or "nothing"
    return f"The ground is {scene.ground}, the sky {scene.sky}, {scene.time}, {scene.weather}: {listed}."
