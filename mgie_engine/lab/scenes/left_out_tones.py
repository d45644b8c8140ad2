"""A tone of the whole picture without a part: "sepia but not the sky", "darker, but leave the trees"."""

from mgie_engine.lab.scenes.addressed_tones import COLOURS, local_edit, region_words
from mgie_engine.lab.scenes.gapped_tones import comparative
from mgie_engine.lab.scenes.phrasing import dress_without_rest, fill, table, without_end_mark
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.tonal import tone_instruction
from mgie_engine.restore.tones import UNGRADED

_TONES = (
    "brighter", "brighter", "darker", "darker", "darker", "warm", "warm", "cool", "cool", "vivid", "muted",
    "muted", "grey", "grey", "grey", "sepia", "sepia", "sepia", "contrast", "flat", "blur", "blur", "sharpen",
    "clarity", "invert", "haze",
)  # fmt: skip
_COLOURLESS = ("grey", "sepia")


def tone_but_part(streams: RngStreams, state: State) -> Edit | None:
    """One operation on everything but a layer of a photo or a colour; None where nothing would be seen."""
    content, wording = streams.content, streams.wording
    layers = [layer for layer in state.layers if layer not in ("background", "subject")]
    part = content.choice([*layers, *layers, content.choice(COLOURS)])
    if "subject" in state.layers and content.random() < 0.25:
        part = "subject"
    name = content.choice(_TONES)
    graded = name not in UNGRADED and name not in _COLOURLESS and content.random() < 0.35
    degree = content.choice(("little", "much")) if graded else "plain"
    way = "part" if wording.random() < 0.45 else "part_tone"
    known = {"x": region_words(streams, part)}
    if way == "part":
        known["one"] = without_end_mark(tone_instruction(streams.bare(), name, degree))
    else:
        known["more"] = _becomes(streams, name, degree)
    said = fill(streams.template(way, "left_out"), **known)
    region = "background" if part == "subject" else f"not {part}"
    return local_edit(state, [(name, region, degree)], dress_without_rest(wording, said))


def _becomes(streams: RngStreams, name: str, degree: str) -> str:
    """What a picture becomes: "much darker", "sepia"."""
    whole = table("left_out")["whole"]
    if name not in whole:
        return comparative(streams, name, degree)
    much = {"little": "a bit ", "much": "much "}.get(degree, "")
    return f"{much}{streams.wording.choice(whole[name])}"
