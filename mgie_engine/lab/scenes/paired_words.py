"""Words for the parts of `paired_edits`: a clause for each part, joined as clauses of one form are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mgie_engine.lab.scenes import addressed_tones
from mgie_engine.lab.scenes.gapped_tones import comparative
from mgie_engine.lab.scenes.phrasing import fields, fill, table, vary
from mgie_engine.lab.scenes.references import refer, region_words
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import Scene, SceneObject
from mgie_engine.lab.scenes.scene_edits import Edit

# the forms of the clauses, the joints between them, and how often
_FORMS = (
    (("note", "note"), "notes", 7), (("order", "order"), "orders", 6), (("full", "full"), "fulls", 3),
    (("make", "make"), "makes", 4), (("must", "must"), "musts", 3), (("be", "gap"), "gaps", 2),
    (("order", "note"), "mixed", 1.5), (("note", "order"), "mixed", 1.5),
)  # fmt: skip
# as names beside another thing, or where a place follows
_UNCLEAR = re.compile(r"\b(one|thing|object|of the|in the sky|in front|at the back|to the)\b")
_TRIALS = 20

Known = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClausePart:
    """Edits that one clause asks for, and what it says beside their things."""

    act: str  # a table of pairs.toml
    edits: Sequence[Edit]
    value: str = ""


def said_of_parts(streams: RngStreams, scene: Scene, parts: Sequence[ClausePart]) -> str:
    """One to three clauses in one instruction, without typing habits."""
    rng = streams.wording
    known = [_known(streams, scene, part) for part in parts]
    if len(parts) == 1:
        form = rng.choice(("note", "order", "order", "must"))
        return _clause(streams, parts[0].act, form, known[0])
    if len(parts) == 3:
        form, joint = rng.choice(("note", "note", "order")), "lists"
        forms: Sequence[str] = [form] * 3
    else:
        ways = [way for way in _FORMS if _sayable(parts, way)]
        forms, joint, _ = rng.choices(ways, [weight for _, _, weight in ways])[0]
    said = [
        _clause(streams, part.act, form, of_part, last=part is parts[-1])
        for part, form, of_part in zip(parts, forms, known, strict=True)
    ]
    way = streams.template(joint, "pairs")
    return fill(way, **dict(zip(("one", "two", "three"), said, strict=False)))


def said_of_one(streams: RngStreams, scene: Scene, part: ClausePart, to: str) -> str:
    """One thing that gets a colour or a size and moves `to`, said in either order."""
    rng = streams.wording
    known = {**_known(streams, scene, part), "to": rng.choice(table("pairs")["words"][to])}
    kind = rng.choice((f"{part.act}_shift", f"shift_{part.act}"))
    return fill(streams.template(kind, "pairs", known), **known)


def _sayable(parts: Sequence[ClausePart], way: tuple[Sequence[str], str, float]) -> bool:
    for part, form in zip(parts, way[0], strict=True):
        if form not in table("pairs")[part.act]:
            return False
        if form == "note" and part.act.endswith("2"):
            return False  # "no tree, car and ball blue" has two readings
    return True


def _clause(streams: RngStreams, act: str, form: str, known: Known, *, last: bool = True) -> str:
    rng, ways = streams.wording, table("pairs")[act][form]
    if not last:  # "without the tree and the ball ..." leaves open what is not wanted
        ways = [way for way in ways if not way.startswith(("without", "minus"))]
    fitting = [way for way in ways if fields(way) <= {*known}]
    return fill(vary(rng, rng.choice(fitting)), **known)


def _known(streams: RngStreams, scene: Scene, part: ClausePart) -> Known:
    """The fields of a part's clauses."""
    rng, words, known = streams.wording, table("pairs")["words"], dict[str, str]()
    for names, edit in zip(("apn", "bqm"), part.edits, strict=False):
        if edit.was:
            it, name = _called(streams, scene, edit.was)
            known |= {names[0]: it, names[1]: it.removeprefix("the ")} | ({names[2]: name} if name else {})
    match part.act.removesuffix("2"):
        case "tint" | "sky":
            known["c"] = streams.target_colour(part.value)
        case "size":
            verb = "grow" if part.value == "bigger" else "shrink"
            known |= {"s": rng.choice(words[part.value]), "v": rng.choice(words[verb])}
            known |= {"j": part.value, "i": verb}
        case "shift":
            known["to"] = rng.choice(words[part.value])
        case "tone":
            known["x"] = comparative(streams, part.value, "plain")
        case "extra" | "swap":
            known |= _new_thing(streams, part)
        case "place":
            tone, _, side = part.value.partition(" ")
            known |= {
                "x": comparative(streams, tone, "plain"),
                "r": addressed_tones.region_words(streams, side),
            }
            known["k"] = known["r"].removeprefix("the ")
        case "ground":
            known |= {"g": part.value, "g0": scene.ground}
        case "time":
            known |= {"t": rng.choice(table("words")["time"][part.value])}
            known["at"] = rng.choice(table("words")["at"][part.value])
        case "weather":
            known |= {"w": rng.choice(table("words")["weather"][part.value])}
            known["d"] = rng.choice(table("words")["weather_noun"][part.value])
    return known


def _called(streams: RngStreams, scene: Scene, obj: SceneObject) -> tuple[str, str]:
    """Words for a thing beside another one, and its bare name where that is enough."""
    rng, name = streams.wording, streams.say(obj.kind)
    if not scene.of(obj.kind):
        return f"the {name}", ""  # "blue ball" asks for one
    if len(scene.of(obj.kind)) == 1 and rng.random() < 0.8:
        return f"the {name}", name
    for _ in range(_TRIALS if rng.random() < 0.4 else 0):
        at = refer(rng, scene, obj, by_neighbour=False)
        if not _UNCLEAR.search(at.it):
            return at.it, at.name or ""
    return f"the {streams.say(obj.colour)} {name}", ""


def _new_thing(streams: RngStreams, part: ClausePart) -> Known:
    """A new thing with and without its article, and its place."""
    colour, _, place = part.value.partition(" ")
    made = part.edits[0].obj
    assert made
    thing = fill(f"{streams.target_colour(colour) if colour else ''} {streams.say(made.kind)}")
    where = f" {region_words(streams.wording, place)}" if place else ""
    return {"x": fill(f"a {thing}"), "y": thing, "at": where}
