"""Two tones in one clause ("make the sky darker and the ground warmer"), and tones with what is not meant."""

from collections.abc import Sequence

from mgie_engine.lab.scenes.addressed_tones import drawn_tone, local_edit, region_words, spoken
from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.phrasing import dress, fill, table, without_end_mark
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.tonal import degree_words, tone_edit, tone_instruction
from mgie_engine.lab.scenes.tone_followups import alike
from mgie_engine.restore.region_masks import WHOLE
from mgie_engine.restore.tones import INVERSE

_GRADED = (
    "brighter", "darker", "contrast", "flat", "vivid", "muted", "warm", "cool", "blur", "sharpen", "clarity",
)  # fmt: skip
_TRIALS = 12

Toned = tuple[str, str, str]  # operation, region, degree


def gapped_tones(streams: RngStreams, state: State) -> Edit | None:
    """Two tones that share a verb, a part or both; None if they do not fit together."""
    content = streams.content
    way = content.choice(("own", "own", "shared", "one_part", "whole"))
    names = content.sample(_GRADED, 2)
    degrees = [content.choice(("plain", "plain", "plain", "little", "much")) for _ in names]
    first, second = drawn_tone(content, state), drawn_tone(content, state)
    if way in ("one_part", "whole") and INVERSE.get(names[0]) == names[1]:
        return None
    if way == "whole":
        tones = [(name, WHOLE, degree) for name, degree in zip(names, degrees, strict=True)]
        said = _said(streams, way, tones)
        return tone_edit(state, [(name, degree) for name, _, degree in tones], dress(streams.wording, said))
    if any(tone[1].startswith("not ") for tone in (first, second)):
        return None
    if way == "one_part":
        tones = [(name, first[1], degree) for name, degree in zip(names, degrees, strict=True)]
    else:
        tones = [first, second] if way == "own" else [first, (first[0], second[1], first[2])]
        if first[1] == second[1]:
            return None
    return local_edit(state, tones, dress(streams.wording, _said(streams, way, tones)))


def _said(streams: RngStreams, way: str, tones: Sequence[Toned]) -> str:
    """Words for two tones; a shared degree is not said by a verb."""
    rng, known = streams.wording, dict[str, str]()
    for (name, region, degree), x, j, v, a, p in zip(tones, "xy", "jk", "vw", "ab", "pq", strict=True):
        known[x] = comparative(streams, name, degree)
        if degree == "plain" and not name.startswith("to_"):  # "purple reds" may be either
            known[j] = known[x]
        if degree == "plain" and not name.startswith("to_"):
            known[v] = rng.choice(table("addressed")["ops"][name]["verb"])
        if region != WHOLE:
            known[a] = region_words(streams, region)
            known[p] = known[a].removeprefix("the ")
    return fill(streams.template(f"gapped_{way}", "compound", known), **known)


def comparative(streams: RngStreams, name: str, degree: str) -> str:
    """ "much darker", "a little more colourful", "greener" for a little green."""
    rng, words = streams.wording, table("addressed")["ops"][name]
    if name.startswith("to_"):
        said: str = rng.choice(words.get(f"more_{degree}", words["more"]))
        return said
    return fill(f"{degree_words(rng, degree)['much']} {rng.choice(words['more'])}")


def tones_not_wanted(streams: RngStreams, state: State) -> Edit | None:
    """A tone that must not be made, or one that must, beside a part or an operation that is not meant."""
    content, wording = streams.content, streams.wording
    way = content.choice(("forbidden", "forbidden", "part", "part", "operation"))
    tone = drawn_tone(content, state)
    if way == "forbidden":
        words = _with_verb(streams, tone)
        said = streams.template("not_this", "compound")
        return Edit("nothing", dress(wording, said.replace("{one}", words)), AS_ASKED, state)
    if way == "operation":
        return _not_the_opposite(streams, state, tone)
    others = alike(state, tone[1])
    if not others:
        return None
    other = region_words(streams, content.choice(others))
    two = without_end_mark(spoken(streams.bare(), *tone))
    said = streams.template("not_other", "compound")
    return local_edit(state, [tone], dress(wording, said.replace("{two}", two).replace("{other}", other)))


def _with_verb(streams: RngStreams, tone: Toned) -> str:
    """An instruction for a tone, of a part or of all, that begins with a verb."""
    bare, verbs = streams.bare(), table("words")["habits"]["verbs"]
    whole = streams.wording.random() < 0.5 and tone[0] in _GRADED
    for _ in range(_TRIALS):
        said = tone_instruction(bare, tone[0], "plain") if whole else spoken(bare, *tone)
        if said.split()[0] in verbs and said[-1] not in "?!.":
            return said
    return "make it brighter"


def _not_the_opposite(streams: RngStreams, state: State, tone: Toned) -> Edit | None:
    """ "warmer, not cooler": the operation that is not meant is the opposite."""
    name, region, degree = tone
    if name not in _GRADED or name not in INVERSE or region.startswith("not "):
        return None
    whole = streams.content.random() < 0.5
    known = {"x": comparative(streams, name, degree), "y": comparative(streams, INVERSE[name], "plain")}
    known |= {"a": "it" if whole else region_words(streams, region)}
    rng = streams.wording
    said = fill(streams.template("not_opposite", "compound"), **known)
    if whole:
        return tone_edit(state, [(name, degree)], dress(rng, said))
    return local_edit(state, [tone], dress(rng, said))
