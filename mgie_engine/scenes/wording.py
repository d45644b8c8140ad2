"""How people say it, and how the model should spell it out.

`PHRASES[kind]` are brief instructions with fields in braces; the first list is for training and validation,
the second is held out for the test split, so that success is never measured on a phrasing that was trained.
The expressive sentences are written in one fixed voice: they name what changes, where it stands and what
stays.
"""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Literal

from mgie_engine.scenes.scene import BACK, COLUMNS, FRONT, SKY, Cell, Scene, Thing, is_sky_kind

Split = Literal["train", "validation", "test"]

SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ball": ("ball", "ball", "ball", "sphere"),
        "box": ("box", "box", "cube", "block"),
        "cone": ("cone", "cone", "pyramid", "triangle"),
        "house": ("house", "house", "home", "cottage", "building"),
        "car": ("car", "car", "vehicle", "automobile"),
        "flower": ("flower", "flower", "blossom"),
        "mushroom": ("mushroom", "mushroom", "toadstool"),
        "balloon": ("balloon", "balloon", "hot air balloon"),
        "small": ("small", "small", "little", "tiny"),
        "medium": ("medium", "medium-sized", "mid-sized"),
        "large": ("large", "large", "big", "huge"),
        "red": ("red", "red", "red", "crimson", "scarlet"),
        "yellow": ("yellow", "yellow", "yellow", "golden"),
        "purple": ("purple", "purple", "violet"),
        "grey": ("grey", "grey", "gray"),
        "teal": ("teal", "teal", "turquoise", "cyan"),
        "pink": ("pink", "pink", "pink", "rose"),
        "striped": ("striped", "stripy"),
        "spotted": ("spotted", "dotted", "polka dot"),
    }
)

PHRASES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "recolour": (
            (
                "make {it} {colour}", "turn {it} {colour}", "paint {it} {colour}", "change {it} to {colour}",
                "change the colour of {it} to {colour}", "change the color of {it} to {colour}",
                "colour {it} {colour}", "color {it} {colour}", "{it} should be {colour}",
                "I want {it} to be {colour}", "make {it} look {colour}", "recolour {it} in {colour}",
                "give {it} a {colour} colour", "{colour} {name}", "dye {it} {colour}", "{it} in {colour}",
                "what if {it} was {colour}", "could {it} be {colour}", "set {it} to {colour}",
            ),
            ("let {it} become {colour}", "switch {it} to {colour}", "{it} ought to be {colour}"),
        ),
        "remove": (
            (
                "remove {it}", "delete {it}", "take away {it}", "get rid of {it}", "erase {it}", "no {name}",
                "take {it} out", "{it} should disappear", "make {it} disappear", "without {it}", "drop {it}",
                "I don't want {it}", "hide {it}", "clear away {it}", "remove {it} from the picture",
                "{it} must go",
            ),
            ("wipe out {it}", "lose {it}", "eliminate {it} please"),
        ),
        "add": (
            (
                "add {a}{where}", "put {a}{where}", "place {a}{where}", "draw {a}{where}",
                "I want {a}{where}",
                "there should be {a}{where}", "insert {a}{where}", "give me {a}{where}", "include {a}{where}",
                "can we have {a}{where}", "paint {a}{where}",
            ),
            ("I'd like to see {a}{where}", "set {a}{where}", "let there be {a}{where}"),
        ),
        "replace": (
            (
                "replace {it} with {a}", "swap {it} for {a}", "turn {it} into {a}", "change {it} into {a}",
                "make {it} {a}", "{a} instead of {it}", "put {a} instead of {it}", "exchange {it} for {a}",
                "change {it} to {a}", "I want {a} in place of {it}",
            ),
            ("transform {it} into {a}", "substitute {a} for {it}"),
        ),
        "grow": (
            (
                "make {it} bigger", "make {it} larger", "enlarge {it}", "{it} should be bigger", "grow {it}",
                "bigger {name}", "scale up {it}", "increase the size of {it}", "blow up {it}",
            ),
            ("let {it} grow", "upsize {it}"),
        ),
        "shrink": (
            (
                "make {it} smaller", "shrink {it}", "{it} should be smaller", "reduce the size of {it}",
                "smaller {name}", "scale down {it}", "make {it} tiny", "decrease the size of {it}",
            ),
            ("let {it} shrink", "downsize {it}"),
        ),
        "move": (
            (
                "move {it} {to}", "put {it} {to}", "shift {it} {to}", "push {it} {to}", "slide {it} {to}",
                "place {it} {to}", "{it} should be {to}", "bring {it} {to}",
            ),
            ("relocate {it} {to}", "drag {it} {to}"),
        ),
        "ground": (
            (
                "make the ground {ground}", "change the ground to {ground}", "turn the ground into {ground}",
                "replace the ground with {ground}", "cover the ground with {ground}", "put them on {ground}",
                "{ground} ground", "I want {ground} on the ground", "change the floor to {ground}",
                "set the scene on {ground}",
            ),
            ("let the ground be {ground}", "swap the floor for {ground}"),
        ),
        "sky": (
            (
                "make the sky {colour}", "turn the sky {colour}", "paint the sky {colour}", "{colour} sky",
                "change the sky to {colour}", "the sky should be {colour}", "colour the sky {colour}",
                "I want a {colour} sky",
            ),
            ("let the sky become {colour}", "switch the sky to {colour}"),
        ),
        "time": (
            (
                "make it {time}", "change it to {time}", "turn it into {time}", "set it at {time}", "{time}",
                "change the time to {time}", "it should be {time}", "show it at {time}", "{time} please",
                "what would it look like at {time}",
            ),
            ("let it be {time}", "take me to {time}"),
        ),
        "weather": (
            (
                "make it {weather}", "add {weather_noun}", "let there be {weather_noun}",
                "it should be {weather}",
                "change the weather to {weather_noun}", "I want {weather_noun}", "{weather} weather",
                "give it {weather_noun}",
            ),
            ("let it get {weather}", "bring on {weather_noun}"),
        ),
        "clear": (
            (
                "stop the {weather_noun}", "remove the {weather_noun}", "make the weather clear",
                "clear weather",
                "no more {weather_noun}", "get rid of the {weather_noun}", "clear the sky",
            ),
            ("end the {weather_noun}", "let the weather clear up"),
        ),
        "all": (
            (
                "make all the {names} {colour}", "turn every {name} {colour}", "paint all {names} {colour}",
                "all {names} should be {colour}", "change the {names} to {colour}",
                "make the {names} {colour}",
            ),
            ("let all the {names} become {colour}", "every {name} {colour}"),
        ),
        "remove all": (
            ("remove all the {names}", "delete the {names}", "get rid of every {name}", "no {names}",
             "take away all {names}"),
            ("clear out all the {names}",),
        ),
        "odd": (
            ("fix the odd one out", "make them all match", "make them the same colour",
             "fix the one that differs",
             "make the odd one fit in"),
            ("the odd one should match the others",),
        ),
        "match": (
            ("make the two {names} match", "make both {names} look the same", "the {names} should match",
             "make the {names} the same colour"),
            ("let the {names} match",),
        ),
        "cosy": (
            ("make it cosier", "make it cozy", "make it more romantic", "set a warm mood"),
            ("give it a cosy feeling",),
        ),
        "winter": (
            ("make it winter", "turn it into winter", "what would this look like in winter", "winter please"),
            ("let it be winter",),
        ),
        "nothing": (
            ("change nothing", "leave it as it is", "keep everything the same", "do nothing", "it is fine",
             "don't change anything"),
            ("leave the picture alone",),
        ),
    }
)  # fmt: skip

ROW_WORDS = {SKY: "in the sky", BACK: "at the back", FRONT: "in front"}
COLUMN_WORDS = ("on the far left", "left of the middle", "right of the middle", "on the far right")


def phrase(rng: Random, kind: str, split: Split, **fields: str) -> str:
    """One way to say `kind`, as somebody types it: with or without please, capital and full stop."""
    train, held_out = PHRASES[kind]
    return dress(rng, rng.choice(held_out if split == "test" else train).format(**fields))


def dress(rng: Random, text: str) -> str:
    """Typing habits: politeness, a capital, a full stop."""
    manner = rng.random()
    if manner < 0.08:
        text = f"please {text}"
    elif manner < 0.12:
        text = f"{text} please"
    elif manner < 0.16:
        text = f"can you {text}?"
    elif manner < 0.18:
        text = f"now {text}"
    if rng.random() < 0.25:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.15 and text[-1] not in "?.!":
        text += rng.choice((".", ".", "!"))
    return text


def say(rng: Random, word: str) -> str:
    """A word or one of its synonyms."""
    return rng.choice(SYNONYMS.get(word, (word,)))


def plural(kind: str) -> str:
    return {"box": "boxes"}.get(kind, f"{kind}s")


def article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def describe(thing: Thing) -> str:
    """The full description of a thing, e.g. "large red striped ball"."""
    material = "" if thing.material == "plain" else f" {thing.material}"
    return f"{thing.size} {thing.colour}{material} {thing.kind}"


def where(cell: Cell) -> str:
    """The full name of a place, e.g. "in front on the far left"."""
    return f"{ROW_WORDS[cell.row]} {COLUMN_WORDS[cell.column]}"


def stays(scene: Scene, *touched: Thing) -> str:
    """What stays: the thing nearest to the first touched one, or everything else."""
    others = [thing for thing in scene.things if thing not in touched]
    if not others or not touched:
        return "Everything else stays."
    cell = touched[0].cell
    nearest = min(others, key=lambda t: (abs(t.cell.column - cell.column) + 2 * abs(t.cell.row - cell.row),
                                         t.cell.row, t.cell.column))  # fmt: skip
    return f"The {nearest.colour} {nearest.kind} {where(nearest.cell)} stays."


def refer(rng: Random, scene: Scene, thing: Thing) -> str:
    """Words that single out `thing` in `scene`, from "the ball" to "the small red ball on the far left"."""
    name = say(rng, thing.kind)
    alike = [other for other in scene.things if other.kind == thing.kind]
    ways = [f"the {say(rng, thing.size)} {say(rng, thing.colour)} {name} {where(thing.cell)}"]
    if len(alike) == 1:
        ways += [f"the {name}"] * 6 + [
            f"the {say(rng, thing.colour)} {name}",
            f"the {say(rng, thing.size)} {name}",
        ]
    for attribute in ("colour", "size", "material"):
        value = getattr(thing, attribute)
        if value != "plain" and sum(getattr(other, attribute) == value for other in alike) == 1:
            ways += [f"the {say(rng, value)} {name}"] * 2
    ways += [f"the {name} {side}" for side in _sides(thing, alike)]
    return rng.choice(ways)


def _sides(thing: Thing, alike: list[Thing]) -> list[str]:
    """Places that hold for `thing` alone among things of its kind."""
    others = [other for other in alike if other is not thing]
    if not others:
        return [where(thing.cell)]
    ways = []
    if all(other.cell.column > thing.cell.column for other in others):
        ways += ["on the left", "on the left", "furthest left"]
    if all(other.cell.column < thing.cell.column for other in others):
        ways += ["on the right", "on the right", "furthest right"]
    if all(other.cell.row != thing.cell.row for other in others):
        ways.append(ROW_WORDS[thing.cell.row])
    return ways


def place_words(rng: Random, scene: Scene, cell: Cell) -> str:
    """Words for an empty cell: its place, or beside the one thing that makes them clear."""
    ways = [where(cell)]
    if cell.row == SKY:
        ways.append(f"in the sky {COLUMN_WORDS[cell.column]}")
    for step, side in ((-1, "to the right of"), (1, "to the left of")):
        beside = scene.at(Cell(cell.row, cell.column + step)) if 0 <= cell.column + step < COLUMNS else None
        if beside and sum(other.kind == beside.kind for other in scene.things) == 1:
            ways += [f"{side} the {say(rng, beside.kind)}"] * 2
    return rng.choice(ways)


def home_rows(kind: str) -> tuple[int, ...]:
    return (SKY,) if is_sky_kind(kind) else (FRONT, BACK)


def inventory(scene: Scene) -> str:
    """Everything in the scene in one breath, for teaching a model to look."""
    things = sorted(scene.things, key=lambda t: (-t.cell.row, t.cell.column))
    listed = "; ".join(f"{describe(thing)} {where(thing.cell)}" for thing in things) or "nothing"
    return f"The ground is {scene.ground}, the sky {scene.sky}, {scene.time}, {scene.weather}: {listed}."
