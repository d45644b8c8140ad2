"""Tonal edits in words: light and colour of the whole picture, drawn or photographed."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.expressive_text import THINGS_STAY
from mgie_engine.lab.scenes.phrasing import dress, fields, fill, table, templates, vary, vary_graded
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.restore.region_masks import WHOLE
from mgie_engine.restore.said_tones import effects
from mgie_engine.restore.tones import STRENGTHS, TONES, UNGRADED, ToneSpec

LONGEST_CHAIN = 3
LONGEST_ON_PHOTO = 6
DEGREES = tuple(STRENGTHS)
GRADES = frozenset({"much", "by", "too", "dark"})  # fields of a phrasing that say a degree
_HUES = tuple(name for name in TONES if name.startswith("to_"))  # for regions only
_OF_PHOTOS = ("night", "winter", "golden", "white_balance", "auto", "dehaze", "haze")
ON_PHOTOS = tuple(name for name in TONES if name not in _HUES)
_USUAL = (
    "brighter", "darker", "contrast", "flat", "vivid", "muted", "warm", "cool", "grey", "sepia", "invert",
    "vignette", "blur", "sharpen",
)  # fmt: skip
ON_SCENES = (*(_USUAL * 3), *(name for name in ON_PHOTOS if name not in _OF_PHOTOS and name not in _USUAL))
_COLOURLESS = frozenset({"grey", "sepia"})
_ABOUT_COLOUR = frozenset({"vivid", "muted", "grey"})


def tonal(streams: RngStreams, state: State) -> Edit | None:
    """One operation of light or colour, plain, a little or much; a night of light alone is for photos."""
    if state.scene is None and streams.content.random() < 0.06:
        return mood(streams, state)
    name = streams.content.choice(ON_SCENES if state.scene else ON_PHOTOS)
    is_plain = name in UNGRADED or streams.content.random() < 0.6
    degree = "plain" if is_plain else streams.content.choice(("little", "much"))
    return tone_edit(state, ((name, degree),), tone_instruction(streams, name, degree))


def mood(streams: RngStreams, state: State) -> Edit | None:
    """A mood on a photo: two operations at once."""
    moods = table("tones")["photo_moods"]
    name = streams.content.choice(tuple(moods))
    return tone_edit(state, [(tone, degree) for tone, degree in moods[name]], streams.phrase(name))


def tone_instruction(streams: RngStreams, name: str, degree: str) -> str:
    """An instruction for a tone; a degree needs a phrasing that can express it, and may be an amount."""
    ways, rng = templates(name, streams.split, "tones"), streams.wording
    if degree == "plain":
        way = vary(rng, rng.choice(ways))
    else:
        way = vary_graded(rng, [way for way in ways if fields(way)], GRADES)
    said = fill(way, **degree_words(rng, degree))
    return said if streams.is_bare else dress(rng, said)


def degree_words(rng: Random, degree: str) -> dict[str, str]:
    """Words for {much}, {by}, {too} and {dark}; {by} may be an amount."""
    words = table("tones")["degrees"][degree]
    chosen = {field: rng.choice(words[field]) for field in words}
    if rng.random() < (0.05 if degree == "plain" else 0.3):
        chosen["by"] = rng.choice(table("addressed")["amounts"][degree])
    return chosen


def tone_edit(state: State, tones: Sequence[tuple[str, str]], instruction: str) -> Edit | None:
    """The edit for tones and their degrees; None where the chain is long enough or nothing could be seen."""
    if not has_room(state, len(tones)) or any(is_idle(name, state) for name, _ in tones):
        return None
    said = [effects()[name][DEGREES.index(degree)] for name, degree in tones]
    text = f"The whole picture {' and '.join(said)}. {THINGS_STAY}"
    specs = tuple(ToneSpec(name, STRENGTHS[degree]) for name, degree in tones)
    return Edit("tonal", instruction, text, replace(state, tones=state.tones + specs), act="tone")


def has_room(state: State, more: int) -> bool:
    """Whether the chain of tones of a picture may get so many more."""
    return len(state.tones) + more <= (LONGEST_CHAIN if state.scene else LONGEST_ON_PHOTO)


def is_idle(name: str, state: State) -> bool:
    """Whether an operation on the whole picture would change nothing that could be seen."""
    done = {spec.name for spec in state.tones if spec.region == WHOLE}
    return (name in UNGRADED and name in done) or (name in _ABOUT_COLOUR and bool(done & _COLOURLESS))
