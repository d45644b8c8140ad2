"""What the model says: expressive instructions in one fixed voice, grounded in the picture.

They name what changes, where it stands and what stays, in at most two sentences. `facts` reads them back.
"""

from collections.abc import Sequence
from typing import Literal

from mgie_engine.lab.scenes.scene import BACK, FRONT, SKY, Cell, Scene, Thing

Split = Literal["train", "validation", "test"]
Typed = Literal["typed", "unheard", "talks"]  # by people; the grammar was widened in view of the first alone

ROW_WORDS = {SKY: "in the sky", BACK: "at the back", FRONT: "in front"}
COLUMN_WORDS = ("on the far left", "left of the middle", "right of the middle", "on the far right")
ALL_STAYS = "Everything else stays."
THINGS_STAY = "All things stay where they are."
NOTHING = "Nothing changes."
AS_ASKED = "Nothing changes, as you asked."
KNOWN_HERE = "I can change drawn things, and the light and colour of any picture."
KNOWN_PHOTO = "On photos I can only change light and colour."


def describe(thing: Thing) -> str:
    """The full description of a thing, e.g. "large red striped ball"."""
    material = "" if thing.material == "plain" else f" {thing.material}"
    return f"{thing.size} {thing.colour}{material} {thing.kind}"


def where(cell: Cell) -> str:
    """The full name of a place, e.g. "in front on the far left"."""
    return f"{ROW_WORDS[cell.row]} {COLUMN_WORDS[cell.column]}"


def there(thing: Thing) -> str:
    """A thing with its place, e.g. "large red ball in front on the far left"."""
    return f"{describe(thing)} {where(thing.cell)}"


def stays(scene: Scene, *touched: Thing) -> str:
    """What stays: the thing nearest to the first touched one (or to the front left corner), or all else."""
    others = [thing for thing in scene.things if thing not in touched]
    if not others:
        return ALL_STAYS
    cell = touched[0].cell if touched else Cell(FRONT, 0)

    def distance(thing: Thing) -> tuple[int, int, int]:
        row, column = thing.cell.row, thing.cell.column
        return abs(column - cell.column) + 2 * abs(row - cell.row), row, column

    nearest = min(others, key=distance)
    return f"The {nearest.colour} {nearest.kind} {where(nearest.cell)} stays."


def counted(things: Sequence[Thing], kinds: str) -> str:
    """Two or more things of a kind: "Both balls", "All 3 balls"."""
    return f"Both {kinds}" if len(things) == 2 else f"All {len(things)} {kinds}"


def inventory(scene: Scene) -> str:
    """Everything in the scene in one breath, for teaching a model to look."""
    things = sorted(scene.things, key=lambda t: (-t.cell.row, t.cell.column))
    listed = "; ".join(there(thing) for thing in things) or "nothing"
    return f"The ground is {scene.ground}, the sky {scene.sky}, {scene.time}, {scene.weather}: {listed}."
