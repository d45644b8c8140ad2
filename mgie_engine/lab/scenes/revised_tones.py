"""Tones that are corrected: to another operation, part or degree, to another instruction, or to none."""

from mgie_engine.lab.scenes.addressed_tones import drawn_tone, local_edit, region_words, spoken
from mgie_engine.lab.scenes.expressive_text import AS_ASKED
from mgie_engine.lab.scenes.gapped_tones import comparative
from mgie_engine.lab.scenes.phrasing import dress, dress_without_rest, table, vary, without_end_mark
from mgie_engine.lab.scenes.revised_edits import said
from mgie_engine.lab.scenes.rng import RngStreams, weighted
from mgie_engine.lab.scenes.scene_edits import Edit, State
from mgie_engine.lab.scenes.slip_edits import drawn_slip
from mgie_engine.lab.scenes.tonal import tone_edit, tone_instruction
from mgie_engine.restore.region_masks import WHOLE
from mgie_engine.restore.tones import UNGRADED

_GRADED = ("brighter", "darker", "warm", "cool", "vivid", "muted", "contrast", "flat", "blur", "sharpen")
_OPERATIONS = (*_GRADED, "grey")
_WAYS = (
    ("operation", 4), ("part", 5), ("to_part", 2), ("to_whole", 1.5), ("degree", 2.5), ("start_over", 3.5),
    ("called_off", 1.5), ("twice", 1.5), ("no_change", 0.7),
)  # fmt: skip
_WHOLE_WORDS = ("it", "it", "the picture", "this", "everything", "the whole thing")

Toned = tuple[str, str, str]  # operation, region, degree


def revised_tone(streams: RngStreams, state: State) -> Edit | None:
    """A tone whose instruction says something else first; None where it does not fit the picture."""
    way = weighted(streams.content, _WAYS)
    if way in ("called_off", "no_change"):
        one = without_end_mark(_words(streams, _drawn(streams, state)))
        words = dress_without_rest(streams.wording, said(streams, way, one=one))
        return Edit("nothing", words, AS_ASKED, state)
    if way == "degree":
        return _another_degree(streams, state)
    if way in ("operation", "twice"):
        return _another_operation(streams, state, twice=way == "twice")
    if way == "start_over":
        wrong, right = _drawn(streams, state), _drawn(streams, state)
        if wrong[:2] == right[:2]:
            return None
        one, two = (without_end_mark(_words(streams, tone)) for tone in (wrong, right))
        return _edit(streams, state, right, said(streams, way, one=one, two=two))
    return _another_part(streams, state, way)


def _drawn(streams: RngStreams, state: State) -> Toned:
    """A tone of a part or of the whole picture."""
    if streams.content.random() < 0.6:
        return drawn_tone(streams.content, state)
    name = streams.content.choice((*_OPERATIONS, "sepia", "vignette", "invert"))
    graded = name not in UNGRADED and name != "grey" and streams.content.random() < 0.3
    return name, WHOLE, streams.content.choice(("little", "much")) if graded else "plain"


def _words(streams: RngStreams, tone: Toned) -> str:
    name, region, degree = tone
    if region == WHOLE:
        return tone_instruction(streams.bare(), name, degree)
    return spoken(streams.bare(), name, region, degree)


def _edit(streams: RngStreams, state: State, tone: Toned, words: str) -> Edit | None:
    name, region, degree = tone
    instruction = dress(streams.wording, words)
    if region == WHOLE:
        return tone_edit(state, [(name, degree)], instruction)
    return local_edit(state, [tone], instruction)


def _another_degree(streams: RngStreams, state: State) -> Edit | None:
    content = streams.content
    name, degree = content.choice(_GRADED), content.choice(("little", "little", "much"))
    wrong = "much" if degree == "little" else "little"
    region = WHOLE if content.random() < 0.5 else drawn_tone(content, state)[1]
    one = without_end_mark(_words(streams, (name, region, wrong)))
    return _edit(streams, state, (name, region, degree), f"{one}{_degree_words(streams, degree)}")


def _degree_words(streams: RngStreams, degree: str) -> str:
    ways = table("revised")["to_degree"][degree]
    return vary(streams.wording, streams.wording.choice(ways))


def _another_operation(streams: RngStreams, state: State, *, twice: bool) -> Edit | None:
    """Another operation on the same part; with `twice` the part is another, too."""
    content, wording = streams.content, streams.wording
    name, wrong = content.sample(_OPERATIONS, 2)
    region = WHOLE if content.random() < 0.45 and not twice else drawn_tone(content, state)[1]
    other = drawn_tone(content, state)[1]
    degree = content.choice(("plain", "plain", "plain", "little", "much")) if name != "grey" else "plain"
    if twice and (region == other or any(where.startswith("not ") for where in (region, other))):
        return None
    x, y = comparative(streams, name, degree), comparative(streams, wrong, "plain")
    a = wording.choice(_WHOLE_WORDS) if region == WHOLE else _region(streams, region)
    if not twice:
        words = said(streams, "tone_slips", a=a, x=x, y=y, slip=drawn_slip(streams))
        return _edit(streams, state, (name, region, degree), words)
    first = without_end_mark(_words(streams, (wrong, other, "plain")))
    ends = (x, a) if wording.random() < 0.5 else (a, x)
    words = f"{first}{drawn_slip(streams)}{ends[0]}{drawn_slip(streams)}{ends[1]}"
    return _edit(streams, state, (name, region, degree), words)


def _region(streams: RngStreams, region: str) -> str:
    inner = region_words(streams, region.removeprefix("not "))
    return f"everything but {inner}" if region.startswith("not ") else inner


def _another_part(streams: RngStreams, state: State, way: str) -> Edit | None:
    content = streams.content
    tone, wrong = drawn_tone(content, state), drawn_tone(content, state)[1]
    name, region, degree = tone
    if name.startswith("to_") or region == wrong or any(r.startswith("not ") for r in (region, wrong)):
        return None
    known = {"r": region_words(streams, region), "slip": drawn_slip(streams)}
    known["bare"] = known["r"].removeprefix("the ")
    if way == "part":
        known["w"] = region_words(streams, wrong)
        known["one"] = without_end_mark(spoken(streams.bare(), name, wrong, degree))
        words = said(streams, "part_slips", **known)
    elif way == "to_part":
        known["one"] = without_end_mark(tone_instruction(streams.bare(), name, degree))
        words = said(streams, way, **known)
    else:
        known["one"] = without_end_mark(spoken(streams.bare(), name, region, degree))
        tone = name, WHOLE, degree
        words = said(streams, way, **known)
    return _edit(streams, state, tone, words)
