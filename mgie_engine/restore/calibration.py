"""Every threshold of restoring, per model: its unit, the reason for it, and the benchmark that set it.

Units. A level is one of the 255 steps of a colour channel. An energy is a mean square of levels; thresholds
of energies are given as their roots, in levels. Relevance is in units of the model's noise prediction, whose
standard deviation is about 1. Shares have no unit.

Benchmarks, as the comments name them:

    validation   `mgie evaluate scenes DIR --split validation`: success, and dB of what should stay
    tones        `benchmarks/photos.py`: 180 tones of 12 photos against the exact operation, in dB
    weather      `benchmarks/weather.py`: rain, snow and fog that come and go in drawn scenes, success
    fidelity     `benchmarks/fidelity.py`: scenes of 1024 and 2048 px, and chains of ten edits
    tests        `tests/mgie_engine/restore`: the cases that the threshold tells apart

The figures behind each value are in docs/lab/experiments.md. Lengths and the settings of the numerical
methods (windows, knots, search steps) stand beside the code that uses them: no picture decides about them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ChangeThresholds:
    """What counts as an edit, and what as an error of the model (`change.py`, `planning.py`)."""

    # Smoothed difference, levels. Errors of the autoencoder and of sampling stay below it; validation, with
    # success as delivered not below success as painted.
    certain: float = 16.0
    # Difference, levels, that belongs to an edit if it touches a certain one: the soft rim of a shadow. At
    # 3.5 rims reached too far (validation).
    possible: float = 5.0
    # The same two for detail that came or went at an unchanged mean: root mean square difference, levels.
    certain_detail: float = 24.0
    possible_detail: float = 14.0
    # Levels outside of everything nearby that are detail which went, or came: a model paints new rain faintly
    # (weather). They count only where no tone explains the edit, and its relevance is high in most places and
    # higher in some, median and 0.99 quantile: rain and snow 0.06 to 0.17 and 0.29 to 0.57, idle edits up to
    # 0.06 and 0.13, objects up to 0.05 and 0.62 (weather, validation).
    detail_gone: float = 12.0
    detail_new: float = 6.0
    detail_middle: float = 0.06
    detail_peak: float = 0.2
    # Share of the picture from which the painting is softer altogether: rain and snow up to 0.58, a sharpened
    # photo 0.67 (weather, tones).
    detail_most: float = 0.6
    # Share of the local variance by which a model misses an edge that it should keep (validation).
    edge_error: float = 0.05
    # An object ends, and the rim of its blur begins, at this share of the strongest difference nearby. At 0.3
    # the shadow of a removed object stayed as an outline (validation).
    outline: float = 0.15
    # Weight of detail where a tone is compared with no tone: less than of levels, because the model's noise
    # is detail, too (tones).
    detail_weight: float = 0.1
    # Shift of a whole region, levels, that is an edit and not the tint that models give to what they keep: if
    # the instruction is about the whole picture, if its relevance is unknown, and if it is about one place.
    shift_whole: float = 1.5
    shift_unknown: float = 3.0
    shift_local: float = 10.0
    # Relevance, median over the picture, below which an instruction is about places only and above which it
    # is about the whole picture. mgie-mini: up to 0.035 for "change nothing" and for one object, from 0.05
    # for tones (validation). None: the model was not measured, so relevance does not decide what an edit is.
    whole_picture: tuple[float, float] | None = (0.036, 0.05)
    # An instruction about the whole picture is relevant evenly: its strongest place has at most this many
    # times the median (validation).
    even: float = 3.0
    # Quantile of the relevance that stands for places that have nothing to do with the edit.
    floor_quantile: float = 0.1
    # Times the floor: relevance of a place that the instruction is about; and the share of that below which a
    # difference is an error of the model (validation: slips outside of the edit).
    about: float = 4.5
    about_share: float = 2 / 3
    # Relevance below which nothing is ever changed: rounding errors of the prediction (fidelity: 0 pixels).
    silent: float = 1e-4
    # Share of the strongest relevance that bounds the edit under keep = strict.
    strict_share: float = 0.3
    # Most that the colour guard takes back of a tint, levels: more is no tint (chains of fidelity).
    tint: float = 8.0
    # Levels by which the means of a neighbourhood differ where nothing changes: there the original's bytes
    # stay beside a change of light and colour. Least and most; between them the painting's noise decides
    # (carried tones).
    unmoved: tuple[float, float] = (1.2, 2.5)
    # A local change of this many levels is a halo of the edit and not shown; of twice as many it is shown
    # whole. 0.2 to 0.4 dB of what should stay (validation).
    halo: float = 4.0
    # Chroma, levels, that brings colour into a grey picture: at one place, and on average (tests).
    colour_at_once: float = 16.0
    colour_overall: float = 4.0


@dataclass(frozen=True, slots=True)
class ToneThresholds:
    """When one change of tone explains the edit, and whether it sharpened or blurred (`tone_fit.py`)."""

    # Share of the difference that a tone may leave unexplained (tones, validation).
    unexplained: float = 0.5
    # Share of the plain squared error that a tone may leave, and a blur. Tones of photos leave up to 0.25 and
    # blurs up to 0.44; rain and snow that came or went 0.42 and more, taken for a blur 0.48 (tones, weather).
    left_over: float = 0.33
    left_over_blur: float = 0.47
    # Share of detail that is kept under a tone, in the lower quartile of windows: tones of photos 0.91 and
    # more, rain that went up to 0.49 in 16 of 17 scenes (tones, weather).
    kept_detail: float = 0.6
    # Levels beyond the range of what is nearby, and the share of the pixels beyond it that a blur may leave:
    # blurs leave up to 0.29, removed snow 0.53 and more (tones, weather).
    outside: float = 8.0
    left_outside: float = 0.45
    # A tone that keeps detail must move at least this share of the picture (tests: objects are no tone).
    least_area: float = 0.1
    # A tone that moves at least this share of the picture by `moved` levels holds everywhere.
    most_area: float = 0.7
    moved: float = 1.0
    # Where such a tone misses and would move levels by more than this, the original is shown.
    overshoot: float = 3.0
    # Change of the coarse band of detail that is an edit where levels stay. Other edits of mgie-mini change
    # it by -0.07 to 0.05, a slight blur by -0.18 and more (90 validation edits; tones).
    blurs: float = -0.13
    blurs_both: float = -0.35  # the same for both bands together
    sharpens: float = 0.19
    # Where the fine band gains, the fit has mixed the bands up; the coarse one has to lose this share of it
    # more.
    mixed_up: float = 1 / 3
    # Levels stay if the rest of the tone moves them by less than this, root mean square.
    still: float = 6.0
    # Change of the coarse band, lost or gained, that is an edit where levels move: "much more contrast" is
    # painted soft and was taken for a blur (tones).
    moving: float = 0.35
    # Amount of sharpening, found with a probe, that is an edit; other edits of photos: up to 0.2 (tones).
    sharpened: float = 0.25
    # Under a tone, the windows may show a region if they explain more than this share of what the tone
    # leaves; the rest follows the model's noise (tones: 23 to 22 below 30 dB).
    window_share: float = 0.5


@dataclass(frozen=True, slots=True)
class LocalBlurThresholds:
    """When places were blurred, and others not (`local_blur.py`)."""

    # Share of its detail that a place keeps at most, root mean square contrast in levels that it must have
    # had, and levels by which its mean may move.
    kept: float = 0.7
    contrast: float = 3.0
    still: float = 10.0
    # Share of the picture that must have lost detail so, and share of the detail that the blur must cover,
    # and leave: a blur that is stronger in places is one of the whole picture (tones, tests).
    lost: float = 0.03
    area: float = 0.05
    # Weights below this are the model's noise; from twice as much they count whole.
    least: float = 0.15
    # Share of the error of a tone that it may leave at most.
    better: float = 0.8


@dataclass(frozen=True, slots=True)
class GradeThresholds:
    """When a change depends on the colour of a pixel alone (`grading.py`)."""

    # Root mean square error, levels, and share of the plain error that a tone must leave for a table to be
    # tried: contrast is a tone (tests). Errors are taken without the finest detail.
    least: float = 0.8
    left_by_tone: float = 0.15
    # Share of the plain error, and of that of a tone, that a table may leave.
    left_over: float = 0.33
    better: float = 0.5
    # Share of the detail of lightness that is kept where it changes something, in the lower quartile of
    # windows: what was removed keeps none.
    kept_detail: float = 0.6
    # Times the error of windows that it may leave, and that where it changes little of the picture: windows
    # carry a recoloured object better and leave a half to an eleventh, of grades of photos 1 / 1.8 to 1 / 1.5
    # (validation, carried tones).
    by_windows: float = 3.0
    by_windows_small: float = 1.9
    small: float = 0.1  # share of the picture
    # Levels of a change that is seen, and of one that counts as strong.
    visible: float = 1.0
    strong: float = 4.0


@dataclass(frozen=True, slots=True)
class ProbeThresholds:
    """When an edit is worth a probe through the autoencoder (`autoencoder_probe.py`, `sharpening.py`)."""

    # Slope of the tiles' levels from which contrast was raised; photos: 1.12 to 1.51 (tones).
    steeper: float = 1.08
    # Levels by which the darkest quarter may rise: other steep tones lift it by 4 and more (tones).
    lifted: float = 2.0
    # Correlation of the tiles' levels: the whole picture follows one tone (tests).
    alike: float = 0.9
    # Energy of fine detail, where there is much, as a multiple of the energy before (tones).
    stronger: float = 1.03
    # Root mean square, levels, by which sharpening moves the means of tiles at most (tests).
    still: float = 6.0


@dataclass(frozen=True, slots=True)
class NewContentThresholds:
    """When painted pixels are shown in place of the recoloured original (`new_content.py`)."""

    # Levels outside of everything nearby that are new for certain. The noise of the painting sets the same
    # bound if that is higher (validation: recolours 48.6 to 50.6 dB).
    new: float = 12.0
    # Levels that the fitted colours may miss near something new, and right beside it.
    unexplained: float = 9.0
    missed: float = 4.5
    # Energies count from these multiples of the painting's noise: for certain, and beside what is certain.
    times_noise: tuple[float, float] = (6.0, 2.0)
    # Share of the local variance that a true change of colour misses at edges and in texture. At 0.02
    # recoloured objects lost their own outline (validation: 24.3 to 32.3 dB inside).
    edge_error: float = 0.3
    # Share of the edit's surroundings that is new where objects come and go.
    dense: float = 0.05
    # Contrast, levels, that is more than noise; and the share of the variance that is next to nothing, in a
    # wide window and in a narrow one (tests: no ghost of what was removed).
    contrast: float = 4.0
    erased: float = 0.1
    erased_outline: float = 0.2
    # Multiple of the energy that the autoencoder or a blur took of the original: the painting has lost as
    # much elsewhere, and that is not new (tones: holes under "much more contrast").
    lost: float = 2.0


@dataclass(frozen=True, slots=True)
class MovedThresholds:
    """When a painted patch is an object of the original that moved (`moved_objects.py`)."""

    # Share of the picture: smaller patches are painted.
    least_area: float = 0.002
    # Levels, root mean square, by which a patch stands out from its rim. Ground: up to 3, objects: from 21
    # (125 validation edits).
    stands_out: float = 12.0
    # Share of a patch's change that a match may leave. Right matches leave 0.005 to 0.13, wrong ones 0.23 and
    # more (54 validation edits at 512 px); the ground an object lies on is part of it.
    left: float = 0.2
    # Share of a patch's pixels that must agree with the match.
    agreed: float = 0.85
    # Levels outside of what is nearby from which the painting shows something else than the match.
    differs: float = 20.0
    # Share of a neighbourhood that must be ground for its colour to be known.
    known_ground: float = 0.01
    # Levels: an error below this is as good as a smaller one.
    as_good: float = 4.0
    # The original where nothing moved explains a pixel if its error is below this share of the match's.
    unmoved: float = 0.3
    # Levels by which ground differs from itself; objects differ by twice as many (validation).
    same: float = 12.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """All thresholds for one model."""

    change: ChangeThresholds = field(default_factory=ChangeThresholds)
    tone: ToneThresholds = field(default_factory=ToneThresholds)
    blur: LocalBlurThresholds = field(default_factory=LocalBlurThresholds)
    grade: GradeThresholds = field(default_factory=GradeThresholds)
    probe: ProbeThresholds = field(default_factory=ProbeThresholds)
    new: NewContentThresholds = field(default_factory=NewContentThresholds)
    moved: MovedThresholds = field(default_factory=MovedThresholds)


MGIE_MINI = Calibration()

# For a model that was not measured, as MGIE-7B. A wrongly discarded edit is worse than a kept error of
# the model, so relevance, whose scale is unknown, discards nothing; and detail has to change more before the
# edit counts as a blur or as sharpening, because that replaces every pixel of the picture.
UNCALIBRATED = Calibration(
    change=replace(MGIE_MINI.change, whole_picture=None),
    tone=replace(MGIE_MINI.tone, blurs=-0.25, blurs_both=-0.6, sharpens=0.35, sharpened=0.4),
)

_BY_MODEL: Mapping[str, Calibration] = MappingProxyType({"mgie-mini": MGIE_MINI})


def calibration_for(model: str) -> Calibration:
    """The thresholds for a model, by the name in its config.json; UNCALIBRATED if it was not measured."""
    return _BY_MODEL.get(model, UNCALIBRATED)
