"""Guidance scales: named presets, and automatic ones from the picture and the instruction. Imports no torch.

Automatic scales come from a small table, `strengths.json` beside a model's config.json, which `mgie study`
fits: for each kind of edit and complexity of the picture, the pair that did better than the model's own.
"""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import AUTO, RANGES, SettingsOverride, checked
from mgie_engine.config import Defaults
from mgie_engine.errors import ModelError
from mgie_engine.model_files import parse_json, read_text

TABLE = "strengths.json"
LOOK_SIDE = 128  # pixels per side to which a picture is reduced before it is measured
LEVELS = 64  # of brightness, for the entropy
END_BYTES = 2**20  # hashed at either end of a weights file, for its fingerprint


# --- named pairs ---


class Preset(StrEnum):
    """Named pairs of scales: automatic, relative to the model's own, or published by others."""

    AUTO = "auto"
    FAITHFUL = "faithful"  # weaker text guidance, stronger image guidance
    BALANCED = "balanced"  # the model's own
    BOLD = "bold"  # stronger text guidance, weaker image guidance
    CLASSIC = "classic"  # what MGIE and InstructPix2Pix publish
    MAGIX = "magix"  # Extended MGIE (MagiX), figures 4 and 7
    MAGIX_VIVID = "magix_vivid"  # the same, figures 3 and 6


# Factors on the model's own pair: 7.5 and 1.5 become 6 and 2, or 9 and 1.2.
_LEANING: Mapping[Preset, tuple[float, float]] = MappingProxyType(
    {Preset.FAITHFUL: (0.8, 4 / 3), Preset.BALANCED: (1.0, 1.0), Preset.BOLD: (1.2, 0.8)}
)
# Published text and image CFG.
PUBLISHED = 7.5, 1.5  # of MGIE and InstructPix2Pix
GENTLE, HARSH = (7.0, 2.0), (8.5, 0.7)  # recommended by Extended MGIE, and warned of by it
MAGIX_SEED = 13331
_FIXED: Mapping[Preset, SettingsOverride] = MappingProxyType(
    {
        Preset.AUTO: SettingsOverride(text_cfg=AUTO, image_cfg=AUTO),
        Preset.CLASSIC: SettingsOverride(*PUBLISHED),
        Preset.MAGIX: SettingsOverride(*GENTLE, seed=MAGIX_SEED),
        Preset.MAGIX_VIVID: SettingsOverride(*HARSH, seed=MAGIX_SEED),
    }
)


def fits_model(preset: Preset, defaults: Defaults) -> bool:
    """Whether a preset suits a model: pairs published for MGIE only suit one with MGIE's own defaults."""
    is_published = preset in (Preset.CLASSIC, Preset.MAGIX, Preset.MAGIX_VIVID)
    return not is_published or (defaults.text_cfg, defaults.image_cfg) == PUBLISHED


def preset_override(preset: Preset, defaults: Defaults) -> SettingsOverride:
    """Both scales of a preset, and its seed if one was published with them; always within RANGES.

    An image scale of at least 1 is never lowered below 1: there guidance would push away from the picture.
    """
    if preset in _FIXED:
        return _FIXED[preset]
    text, image = _LEANING[preset]
    least = min(1.0, defaults.image_cfg)
    return SettingsOverride(
        text_cfg=_within(defaults.text_cfg * text, *RANGES["text_cfg"]),
        image_cfg=_within(defaults.image_cfg * image, least, RANGES["image_cfg"][1]),
    )


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 2)


# --- measures of a picture and an instruction ---


@dataclass(frozen=True, slots=True)
class PictureComplexity:
    """Complexity of a picture, measured at 128 pixels, so that its size does not matter."""

    texture: float  # mean step of brightness from pixel to pixel, 0 to 1
    entropy: float  # of brightness in 64 levels, 0 to 6 bits


def measure_complexity(picture: Image.Image) -> PictureComplexity:
    """Measure the complexity of a picture of any size and mode."""
    small = picture.convert("RGB").convert("L").resize((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX)
    light = np.asarray(small, dtype=np.float64) / 255
    across, down = np.abs(np.diff(light, axis=1)).mean(), np.abs(np.diff(light, axis=0)).mean()
    counts = np.histogram(light, LEVELS, (0, 1))[0]
    shares = counts[counts > 0] / counts.sum()
    entropy = -(shares * np.log2(shares)).sum()
    return PictureComplexity(round(float(across + down) / 2, 5), round(abs(float(entropy)), 4))


class Kind(StrEnum):
    """The kind of edit an instruction asks for, by its words alone."""

    TONE = "tone"  # light and colour of the whole picture
    SCENERY = "scenery"  # sky, ground, weather, time of day
    REMOVE = "remove"
    REPLACE = "replace"
    ADD = "add"
    MOVE = "move"
    RESIZE = "resize"
    COLOUR = "colour"
    OTHER = "other"


_COLOURS = "red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|teal|turquoise|violet|golden"
# The first pattern that matches wins.
_SIGNS: tuple[tuple[Kind, str], ...] = (
    (Kind.REPLACE, r"replac\w*|substitut\w*|rather than|instead of|in place of|into an?|exchange|swap|trade"),
    (Kind.REMOVE, r"remov\w*|delet\w*|eras\w*|take (\w+ )*(away|out)|get rid|without|no more|gone"
                  r"|disappear|vanish|hide|drop|wipe|lose|eliminate|scrap|cut|throw (away|out)"
                  r"|(needs|has|must) to (go|leave)"),
    (Kind.TONE, r"bright(er|en|ness)\w*|dark(er|en|ness)|light(er|en)|contrast\w*|saturat\w*|warm\w*|cool\w*"
                r"|cold\w*|sepia|blur\w*|sharp\w*|vivid|muted|fade\w*|vignette|monochrome|negative|exposure"
                r"|black and white|colou?r(ful|less|s)|whole picture|everything|tint\w*|vintage|dim\w*"
                r"|crisp\w*"),
    (Kind.ADD, r"add|insert|draw|include|bring in|create|there (should|to) be|let there be|another|give me"
               r"|plus|(put|place|set|show|want|need|see|have) (an?|two|some)|would be nice|could use"),
    (Kind.RESIZE, r"bigger|smaller|larger|grow\w*|shrink\w*|enlarge\w*|reduce|(up|down)siz\w*|tin(y|ier)|huge"
                  r"|scale|size|less (large|small|big)"),
    (Kind.MOVE, r"mov\w+|shift\w*|push\w*|pull\w*|drag\w*|slide|bring|closer|further away|forwards?"
                r"|backwards?|to (the )?(left|right|front|back)|next to"),
    (Kind.SCENERY, r"sky|background|ground|grass|sand|snow\w*|water|stone|rain\w*|fog\w*|mist\w*|weather"
                   r"|sunset|(mid)?night|(mid)?day(light)?|dusk|dawn|sundown|evening|morning|winter|summer|autumn|spring"
                   r"|beach|desert|sunny|mood|feeling"),
    (Kind.COLOUR, rf"(re)?colou?r\w*|(re)?paint|dye|{_COLOURS}"),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(rf"\b({signs})\b", re.IGNORECASE)) for kind, signs in _SIGNS)
_CONSTRAINTS = re.compile(
    rf"\b(and|but|not|only|keep|without|instead|too|also|all|both|except|next to|left|right|front|back|middle"
    rf"|behind|above|below|small|large|big|little|striped|spotted|{_COLOURS})\b|,",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class InstructionTraits:
    """Measures of an instruction, by its words alone."""

    kind: Kind
    words: int
    constraints: int  # words that narrow down the target or what must stay: "red", "left", "and", "keep"


def instruction_traits(instruction: str) -> InstructionTraits:
    """Measure an English instruction; one in another language has the kind OTHER."""
    kind = next((kind for kind, pattern in _PATTERNS if pattern.search(instruction)), Kind.OTHER)
    return InstructionTraits(kind, len(instruction.split()), len(_CONSTRAINTS.findall(instruction)))


# --- automatic scales ---


class Pictures(StrEnum):
    """Which pictures a rule is for."""

    ANY = "any"
    SIMPLE = "simple"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class StrengthRule:
    """The best pair for one kind of edit; None stands for every kind."""

    kind: Kind | None
    pictures: Pictures
    text_cfg: float
    image_cfg: float
    gain: tuple[float, float, float]  # over the model's own pair: mean, and its confidence interval
    edits: int  # number of edits the rule is based on


@dataclass(frozen=True, slots=True)
class StrengthTable:
    """The result of a study of one model. The first rule that matches applies."""

    model: str
    busy_from: float  # texture from which a picture is busy
    own: tuple[float, float]  # the model's own text and image CFG, which gains are relative to
    rules: tuple[StrengthRule, ...] = ()
    weights: str = ""  # fingerprint of the weights that were studied

    def to_json(self) -> str:
        """This table as the text of a strengths.json."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "StrengthTable":
        """Parse a strengths.json; ModelError if it is damaged."""
        try:
            table = _validator().validate_python(parse_json(text, TABLE))
            for rule in table.rules:
                checked(SettingsOverride(text_cfg=rule.text_cfg, image_cfg=rule.image_cfg))
        except (ValidationError, SettingsRefused) as error:
            raise ModelError(f"{TABLE} is not a table of strengths: {error}.") from error
        return table


@cache
def _validator() -> TypeAdapter[StrengthTable]:
    return TypeAdapter(StrengthTable)


def read_table(folder: Path) -> StrengthTable | None:
    """The table of the model in `folder`; None if it was not made for these very weights.

    ModelError if it is damaged.
    """
    file = folder / TABLE
    if not file.exists():
        return None
    table = StrengthTable.from_json(read_text(file))
    return table if table.weights == fingerprint(folder) else None


def fingerprint(folder: Path) -> str:
    """Identifies a model's weights: a hash of the files' names, sizes and both ends."""
    digest = sha256()
    for file in sorted([*folder.glob("*.safetensors"), *folder.glob("mgie_7b/*.pt")]):
        if not file.is_file():  # a pipe, which would be waited for
            continue
        size = file.stat().st_size
        digest.update(f"{file.name} {size} ".encode())
        with file.open("rb") as data:
            digest.update(data.read(END_BYTES))
            data.seek(max(0, size - END_BYTES))
            digest.update(data.read())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Advice:
    """A pair of guidance scales, and why they were chosen."""

    text_cfg: float
    image_cfg: float
    reason: tuple[Message, ...]


NOT_STUDIED = Message("auto_not_studied")
NO_BETTER = Message("auto_no_better")


def advise(
    look: PictureComplexity, instruction: str, table: StrengthTable | None, own: tuple[float, float]
) -> Advice:
    """The best known scales for such an edit of such a picture; `own`, the model's, if none are better."""
    rule = None if table is None else rule_for(look, instruction_traits(instruction).kind, table)
    if rule is None:
        return Advice(*own, (NOT_STUDIED if table is None else NO_BETTER,))
    why = (rule.kind or "any", *([] if rule.pictures is Pictures.ANY else [rule.pictures]))
    return Advice(rule.text_cfg, rule.image_cfg, tuple(Message(f"auto_{each}") for each in why))


def advise_on_png(
    png: bytes, instruction: str, table: StrengthTable | None, own: tuple[float, float]
) -> Advice:
    """`advise` for a PNG; takes some milliseconds per megapixel, mostly to decode it."""
    with Image.open(io.BytesIO(png)) as picture:
        return advise(measure_complexity(picture), instruction, table, own)


def rule_for(look: PictureComplexity, kind: Kind, table: StrengthTable) -> StrengthRule | None:
    """The first rule that matches."""
    is_like = Pictures.BUSY if look.texture >= table.busy_from else Pictures.SIMPLE
    fitting = (r for r in table.rules if r.kind in (None, kind) and r.pictures in (Pictures.ANY, is_like))
    return next(fitting, None)
