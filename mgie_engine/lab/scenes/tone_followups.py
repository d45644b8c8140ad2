"""Follow-ups of tones: more, less, back, the same elsewhere, the other half, something else there."""

from collections.abc import Mapping, Sequence

from mgie_engine.lab.scenes.addressed_tones import (
    COLOURS,
    OTHER_HALF,
    local_edit,
    region_words,
)
from mgie_engine.lab.scenes.phrasing import dress, fields, fill, table, vary
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.tonal import degree_words, tone_edit
from mgie_engine.restore.region_masks import WHOLE
from mgie_engine.restore.tones import INVERSE, STRENGTHS, UNGRADED, ToneSpec

_DEGREE: Mapping[float, str] = {strength: degree for degree, strength in STRENGTHS.items()}
_ALSO = ("brighter", "darker", "contrast", "vivid", "muted", "warm", "cool", "blur", "sharpen")
_HALVES, _CORNERS = (
    ("left", "right", "top", "bottom"),
    ("top left", "top right", "bottom left", "bottom right"),
)


def tone_follow_up(streams: RngStreams, state: State, last: Edit) -> Edit | None:
    """An edit that leans on the last tone of `state`; None if none fits."""
    tone = last.goal.tones[-1]
    way = streams.content.choices(("more", "less", "undo", "too", "other", "also"), (5, 4, 3, 6, 3, 3))[0]
    if way in ("more", "less"):
        return _more(streams, state, tone, way)
    if way == "undo":
        return _undo(streams, state, tone)
    if tone.region == WHOLE:
        return _more(streams, state, tone, "more")
    if way == "also":
        return _also(streams, state, tone)
    return _elsewhere(streams, state, tone, is_wrong=way == "other")


def _edit(state: State, tones: Sequence[tuple[str, str, str]], words: str) -> Edit | None:
    if all(region == WHOLE for _, region, _ in tones):
        return tone_edit(state, [(name, degree) for name, _, degree in tones], words)
    return local_edit(state, tones, words)


def _more(streams: RngStreams, state: State, tone: ToneSpec, way: str) -> Edit | None:
    name = INVERSE.get(tone.name) if way == "less" else tone.name
    if name is None or tone.name in UNGRADED:
        return None
    is_little = way == "less" or streams.content.random() < 0.4
    kind = "back" if way == "less" else "more_little" if is_little else "more"
    words = streams.phrase(kind, **_known(streams, tone.name))
    return _edit(state, [(name, tone.region, "little" if is_little else "plain")], words)


def _known(streams: RngStreams, name: str) -> dict[str, str | None]:
    """Fields that the phrasings of more and less may have."""
    ops: Mapping[str, Sequence[str]] = table("addressed")["ops"].get(name, {})
    comparative = streams.wording.choice(ops["more"]) if "more" in ops else None
    return {"more": comparative, "too": streams.wording.choice(("", "", "a bit", "way", "much", "a little"))}


def _undo(streams: RngStreams, state: State, tone: ToneSpec) -> Edit | None:
    inverse, degree = INVERSE.get(tone.name), _DEGREE.get(tone.strength)
    if inverse is None or degree is None:
        return None
    return _edit(state, [(inverse, tone.region, degree)], dress(streams.wording, _said(streams, "undo")))


def _said(streams: RngStreams, kind: str, **known: str) -> str:
    ways = table("addressed")["talk"][kind]["test" if streams.split == "test" else "train"]
    fitting = [way for way in ways if fields(way) <= known.keys()]
    return fill(vary(streams.wording, streams.wording.choice(fitting)), **known)


def _elsewhere(streams: RngStreams, state: State, tone: ToneSpec, *, is_wrong: bool) -> Edit | None:
    degree = _DEGREE.get(tone.strength)
    others = alike(state, tone.region)
    if degree is None or not others:
        return None
    region = streams.content.choice(others)
    is_opposite = is_wrong and region == OTHER_HALF.get(tone.region) and streams.content.random() < 0.4
    where = region_words(streams, region)
    known = {"r": where, "bare": where.removeprefix("the ")}
    words = (
        _said(streams, "opposite") if is_opposite else _said(streams, "other" if is_wrong else "too", **known)
    )
    tones = [(tone.name, region, degree)]
    if is_wrong:
        inverse = INVERSE.get(tone.name)
        if inverse is None:
            return None
        tones.insert(0, (inverse, tone.region, degree))
    return local_edit(state, tones, dress(streams.wording, words))


def alike(state: State, region: str) -> list[str]:
    """Other regions that may be meant after this one."""
    groups = [_HALVES, _CORNERS, COLOURS, ("shadows", "midtones", "highlights"), state.layers]
    return [other for group in groups if region in group for other in group if other != region]


def _also(streams: RngStreams, state: State, tone: ToneSpec) -> Edit | None:
    name = streams.content.choice([op for op in _ALSO if op not in (tone.name, INVERSE.get(tone.name))])
    degree = "plain" if streams.content.random() < 0.7 else streams.content.choice(("little", "much"))
    ops = table("addressed")["ops"][name]
    known = {key: streams.wording.choice(ops[key]) for key in ("more", "verb", "less") if key in ops}
    graded = degree_words(streams.wording, degree)
    ways = table("addressed")["talk"]["also"]["test" if streams.split == "test" else "train"]
    fitting = [
        way for way in ways
        if fields(way) <= {*known, "much", "by"} and (degree == "plain" or fields(way) & {"much", "by"})
    ]  # fmt: skip
    words = fill(vary(streams.wording, streams.wording.choice(fitting or ways[:1])), **known, **graded)
    return local_edit(state, [(name, tone.region, degree)], dress(streams.wording, words))
