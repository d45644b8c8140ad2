"""Tonal edits in words: light and colour of the whole picture, drawn or photographed."""

from collections.abc import Sequence
from dataclasses import replace

from mgie_engine.lab.scenes.expressive_text import THINGS_STAY
from mgie_engine.lab.scenes.phrasing import dress, fields, fill, table, templates, vary
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.tones import STRENGTHS, TONES, UNGRADED, ToneSpec

LONGEST_CHAIN = 3
DEGREES = tuple(STRENGTHS)
_COLOURLESS = frozenset({"grey", "sepia"})
_ABOUT_COLOUR = frozenset({"vivid", "muted", "grey"})


def tonal(streams: RngStreams, state: State) -> Edit | None:
    """One operation of light or colour, plain, a little or much; a night of light alone is for photos."""
    if state.scene is None and streams.content.random() < 0.06:
        return mood(streams, state)
    name = streams.content.choice(
        [name for name in TONES if name in table("tones") and (name != "night" or state.scene is None)]
    )
    is_plain = name in UNGRADED or streams.content.random() < 0.6
    degree = "plain" if is_plain else streams.content.choice(("little", "much"))
    return tone_edit(state, ((name, degree),), tone_instruction(streams, name, degree))


def mood(streams: RngStreams, state: State) -> Edit | None:
    """A mood on a photo: two operations at once."""
    moods = table("tones")["photo_moods"]
    name = streams.content.choice(tuple(moods))
    return tone_edit(state, [(tone, degree) for tone, degree in moods[name]], streams.phrase(name))


def tone_instruction(streams: RngStreams, name: str, degree: str) -> str:
    """An instruction for a tone; a degree needs a phrasing that can express it."""
    ways = [way for way in templates(name, streams.split, "tones") if degree == "plain" or fields(way)]
    words = table("tones")["degrees"][degree]
    rng = streams.wording
    said = fill(vary(rng, rng.choice(ways)), **{field: rng.choice(words[field]) for field in words})
    return dress(rng, said)


def tone_edit(state: State, tones: Sequence[tuple[str, str]], instruction: str) -> Edit | None:
    """The edit for tones and their degrees; None where the chain is long enough or nothing could be seen."""
    done = {tone.name for tone in state.tones}
    if len(state.tones) + len(tones) > LONGEST_CHAIN or any(_is_idle(name, done) for name, _ in tones):
        return None
    effects = [table("tones")["effects"][name][DEGREES.index(degree)] for name, degree in tones]
    text = f"The whole picture {' and '.join(effects)}. {THINGS_STAY}"
    specs: tuple[ToneSpec, ...] = tuple(ToneSpec(name, STRENGTHS[degree]) for name, degree in tones)
    return Edit("tonal", instruction, text, replace(state, tones=state.tones + specs))


def _is_idle(name: str, done: set[str]) -> bool:
    return (name in UNGRADED and name in done) or (name in _ABOUT_COLOUR and bool(done & _COLOURLESS))
